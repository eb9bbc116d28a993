package tus

import (
	"context"

	"golang.org/x/exp/slog"
)

// silent returns a logger that drops everything: package contract logs what operators should know of failed requests.
func silent() *slog.Logger { return slog.New(nothing{}) }

type nothing struct{}

func (nothing) Enabled(context.Context, slog.Level) bool  { return false }
func (nothing) Handle(context.Context, slog.Record) error { return nil }
func (nothing) WithAttrs([]slog.Attr) slog.Handler        { return nothing{} }
func (nothing) WithGroup(string) slog.Handler             { return nothing{} }

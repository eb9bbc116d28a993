package browse

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"itemcast/internal/problem"
)

// problemView is a failure, and what it says of each field.
type problemView struct {
	Title  string
	Code   string
	Detail string
	Faults []faultView
}

type faultView struct {
	Where, Detail, Href string
	pointer, parameter  string
}

func readProblem(rec *record) *problemView {
	if rec.status < http.StatusBadRequest {
		return nil
	}
	var told struct {
		Title, Code, Detail string
		Errors              []problem.Fault
	}
	if !rec.isJSON || json.Unmarshal(rec.body.Bytes(), &told) != nil || told.Title == "" {
		return &problemView{Title: http.StatusText(rec.status)}
	}
	p := &problemView{Title: told.Title, Code: told.Code, Detail: told.Detail}
	for _, fault := range told.Errors {
		p.Faults = append(p.Faults, faultView{Where: cmp.Or(fault.Parameter, fault.Pointer), Detail: fault.Detail, pointer: fault.Pointer, parameter: fault.Parameter})
	}
	return p
}

// of returns what a problem says of a field, and has its list lead there. It is nil-safe.
func (p *problemView) of(f *field) string {
	if p == nil {
		return ""
	}
	var told []string
	for i := range p.Faults {
		fault := &p.Faults[i]
		detail := fault.Detail
		if f.place == bodyPrefix {
			first, rest, _ := strings.Cut(strings.TrimPrefix(unescapePointer(fault.pointer), "#/"), "/")
			if fault.pointer == "" || first != strings.ReplaceAll(strings.ReplaceAll(f.Name, "~", "~0"), "/", "~1") {
				continue
			}
			if rest != "" {
				detail = "/" + rest + " " + detail
			}
		} else if fault.parameter != f.Name && (f.Prefix == "" || !strings.HasPrefix(fault.parameter, f.Prefix)) {
			continue
		}
		fault.Href = "#" + f.ID
		told = append(told, detail)
	}
	return strings.Join(told, "; ")
}

func unescapePointer(pointer string) string {
	if text, err := url.PathUnescape(pointer); err == nil {
		return text
	}
	return pointer
}

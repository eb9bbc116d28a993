package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"itemcast/internal/hook/receiving"
	"itemcast/internal/node"
	"itemcast/internal/standardwebhooks"
)

type listenCommand struct {
	Host      string                    `help:"Address to listen on." default:"127.0.0.1"`
	Port      uint16                    `help:"Port to listen on. 0: any free port." default:"9000"`
	Secret    []standardwebhooks.Secret `help:"Secret of a hook (whsec_…), to verify deliveries; several are tried in turn. Without one, paste a secret later." placeholder:"SECRET"`
	AcceptAll bool                      `help:"Accept deliveries with a wrong signature, which otherwise get 401."`

	Headers bool `help:"Print the headers too."`
	Body    bool `help:"Print the body too, indented."`
	JSON    bool `help:"Print each delivery as a line of JSON, with its body, for programs; everything else goes to standard error."`

	Status     int           `help:"Fail with this status. Default: 500 with --fail-first or --fail-rate, else 200." placeholder:"500"`
	Hang       bool          `help:"Fail by never answering." xor:"silence"`
	Reset      bool          `help:"Fail by resetting the connection." xor:"silence"`
	FailFirst  int           `help:"Fail only the first N attempts of each delivery." placeholder:"N"`
	FailRate   float64       `help:"Fail this share of all attempts, at random." placeholder:"0.3"`
	Delay      time.Duration `help:"Wait before each answer." placeholder:"2s"`
	RetryAfter time.Duration `help:"Send Retry-After with a failing status." placeholder:"10s"`
}

// Help is printed by --help.
func (*listenCommand) Help() string {
	return `Prints a line for each delivery: time, event, trigger, item, revision, latency since the change, ` +
		`signature and answer. Marks repeated deliveries, and revisions that arrive after a higher one was accepted: ` +
		`"OUT OF ORDER", or "older" when a replay or a redelivery sends the past.

Examples:

  itemcast listen                                   print deliveries; paste the hook's secret to verify them
  itemcast listen --secret=whsec_… --body           verify, and print the items
  itemcast listen --fail-first=2 --retry-after=10s  see how a delivery is retried
  itemcast listen --fail-rate=0.3 --delay=200ms     be a bad endpoint
  itemcast listen --json | jq -r .body.name         use it in a script

A hook's URL can ask for failures too, so that one listener acts as several endpoints. The URL wins over the flags:

  http://127.0.0.1:9000/dead?hang
  http://127.0.0.1:9000/flaky?status=503&fail_first=2&retry_after=10s
  http://127.0.0.1:9000/slow?delay=2s&fail_rate=0.1&reset

Itemcast sends to private networks, including this machine, only if you allow them (make run does so):

  ITEMCAST_HOOK_ALLOW_NETWORKS=127.0.0.0/8 itemcast serve

Exit codes:

  0    ended by Ctrl-C (SIGINT) or SIGTERM, after a summary
  1    failed, for example because the port is in use`
}

func (l *listenCommand) answers() receiving.Answers {
	return receiving.Answers{Status: l.Status, Hang: l.Hang, Reset: l.Reset, FailFirst: l.FailFirst, FailRate: l.FailRate,
		Delay: l.Delay, RetryAfter: l.RetryAfter}
}

// Validate checks the flags about failures. Kong calls it.
func (l *listenCommand) Validate() error {
	if err := l.answers().Check(); err != nil {
		return errors.New("--" + strings.Replace(err.Error(), "_", "-", 1))
	}
	return nil
}

// Run receives deliveries until ctx ends. It opens no database.
func (l *listenCommand) Run(ctx context.Context, c *console, d *database) error {
	listener, err := l.listen(ctx)
	if err != nil {
		return err
	}
	people := c.out // the output for people
	if l.JSON {
		people = c.err
	}
	printer := receiving.Printer{Out: people, Colours: c.coloured(people), Headers: l.Headers, Body: l.Body}
	onDelivery := printer.Print
	if l.JSON {
		onDelivery = receiving.Recorder{Out: c.out, Headers: l.Headers, Terminal: isTerminal(c.out)}.Print
	}
	r := receiving.New(receiving.Config{Secrets: l.Secret, AcceptAll: l.AcceptAll, Answers: l.answers(),
		OnDelivery: onDelivery, OnNote: printer.Note})
	l.greet(people, listener.Addr(), string(d.PublicURL))
	go paste(os.Stdin, r)

	server := r.Server()
	server.ErrorLog = slog.NewLogLogger(c.log.Handler(), slog.LevelWarn)
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // not Shutdown, which would wait for requests that hang
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("receive: %w", err)
	}
	conclude(people, r.End())
	return nil
}

func (l *listenCommand) listen(ctx context.Context) (net.Listener, error) {
	addr := net.JoinHostPort(strings.Trim(l.Host, "[]"), strconv.Itoa(int(l.Port)))
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use already: choose another port with --port, or --port=0 for any "+
			"free port", addr)
	case err != nil:
		return nil, fmt.Errorf("listen on %s (--host and --port): %w", addr, err)
	}
	return listener, nil
}

// greet prints what to do next.
func (l *listenCommand) greet(out io.Writer, addr net.Addr, publicURL string) {
	if publicURL == "" {
		publicURL = "http://" + defaultAddr
	}
	here := "http://" + node.Reachable(addr.String()) + "/"
	fmt.Fprintf(out, "\n  Listening at %s until Ctrl-C.", here)
	switch n := len(l.Secret); n { // with a secret, there is a hook
	case 0:
	case 1:
		fmt.Fprintf(out, "\n  Deliveries are verified with the secret given.\n\n")
		return
	default:
		fmt.Fprintf(out, "\n  Deliveries are verified with the %d secrets given.\n\n", n)
		return
	}
	fmt.Fprintf(out, " To create a hook that posts here:\n\n")
	fmt.Fprintf(out, "    curl -u admin@example.com:PASSWORD %s/api/v1/hooks -H 'content-type: application/json' \\\n",
		publicURL)
	fmt.Fprintf(out, `      -d '{"url": "%s", `+
		`"events": ["item.created", "item.updated", "item.deleted", "item.triggered"]}'`+"\n\n", here)
	fmt.Fprintf(out, "  Nothing is verified yet: paste the secret from the answer (whsec_…) here, "+
		"or pass it with --secret.\n\n")
}

var secretTyped = regexp.MustCompile(`whsec_[A-Za-z0-9+/=]*`)

// paste adds the secrets that are typed while the receiver runs: a hook needs the listener's URL, and has a secret only
// after that. A line may be the secret alone, or the whole response that created the hook.
func paste(from io.Reader, r *receiving.Receiver) {
	signal.Ignore(syscall.SIGTTIN) // so that a read by a background job of a shell fails, and does not stop the process
	for lines := bufio.NewScanner(from); lines.Scan(); {
		typed := secretTyped.FindString(lines.Text())
		if typed == "" && strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		secret, err := standardwebhooks.ParseSecret(typed)
		if err != nil {
			r.Note("That is not a secret: it " + err.Error() + ".")
			continue
		}
		r.AddSecret(secret)
		r.Note("Deliveries are verified with this secret from now on.")
	}
}

func conclude(out io.Writer, s receiving.Summary) {
	fmt.Fprintf(out, "\n%s: %d verified, %d with a wrong signature, %d not checked; "+
		"%d repeated, %d out of order; %d answered with a failure\n",
		plural(s.Deliveries, "delivery", "deliveries"), s.Verified, s.Wrong, s.Unchecked, s.Repeated, s.OutOfOrder, s.Failed)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// coloured reports whether to use colours (https://no-color.org).
func (c *console) coloured(out io.Writer) bool {
	return isTerminal(out) && c.getenv("NO_COLOR") == "" && c.getenv("TERM") != "dumb"
}

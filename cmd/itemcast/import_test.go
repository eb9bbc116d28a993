package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"itemcast/internal/node/nodetest"
)

// writeLines returns a new file with the lines.
func writeLines(t *testing.T, lines ...string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "items.ndjson")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// runPiped runs a command with a standard input.
func runPiped(t *testing.T, environment []string, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := nodetest.Command(t, environment, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// wantExit fails the test unless a command ended with a code and printed the texts, on either output.
func wantExit(t *testing.T, code int, out, errs string, want int, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(out+errs, text) {
			t.Errorf("the output lacks %q", text)
		}
	}
	if code != want || t.Failed() {
		t.Errorf("code %d, want %d\n%s\n%s", code, want, out, errs)
	}
}

func TestImport_HasAnExitCodeForRejectedLines(t *testing.T) {
	t.Parallel()
	pool, environment := newDatabase(t)
	file := writeLines(t, `{"name":"one"}`, `{"name":" ","color":"red","metadata":{"unknown":1}}`, `{"name":"three"}`,
		`no JSON`)
	code, out, errs := nodetest.RunProcess(t, environment, "import", "--no-create-fields", file)
	wantExit(t, code, out, errs, 3, "4 lines: 2 created, 0 updated, 0 unchanged, 2 rejected", "line 2: #/color ",
		"line 2: #/name ",
		"line 2: #/metadata/unknown ", "line 4: is not valid JSON: syntax error at byte 1")
	last := "2 of 4 lines were rejected, 2 by this run; the rest is imported. " +
		"Correct the rejected lines and import them as a separate file.\n"
	if !strings.HasSuffix(errs, last) {
		t.Errorf("the last line is not %q:\n%s", last, errs)
	}
	code, out, errs = nodetest.RunProcess(t, environment, "import", "--no-create-fields", file)
	wantExit(t, code, out, errs, 3, "nothing to do", "2 of 4 lines were rejected, 0 by this run")
	if n := nodetest.CountItems(t, pool); n != 2 {
		t.Errorf("%d items, want 2", n)
	}
}

func TestImport_DoesNotImportAFileTwice(t *testing.T) {
	t.Parallel()
	pool, environment := newDatabase(t)
	file := writeItems(t, 3)
	code, out, errs := nodetest.RunProcess(t, environment, "import", file)
	wantExit(t, code, out, errs, 0, "3 lines: 3 created")
	code, out, errs = nodetest.RunProcess(t, environment, "import", file)
	wantExit(t, code, out, errs, 0, file+" was imported before", "nothing to do", "--again",
		"Imported then: 3 lines: 3 created")
	code, out, errs = nodetest.RunProcess(t, environment, "import", "--again", file)
	wantExit(t, code, out, errs, 0, "3 lines: 3 created")
	if n := nodetest.CountItems(t, pool); n != 6 {
		t.Errorf("%d items, want 6", n)
	}
}

func TestImport_ReadsAPipeAndResumesByKey(t *testing.T) {
	t.Parallel()
	pool, environment := newDatabase(t)
	const two = `{"name":"one"}` + "\n" + `{"name":"two"}` + "\n"
	for range 2 { // without a key, the second is another import
		code, out, errs := runPiped(t, environment, two, "import", "-")
		wantExit(t, code, out, errs, 0, "2 lines: 2 created")
	}
	code, out, errs := runPiped(t, environment, two, "import", "-", "--key=feed")
	wantExit(t, code, out, errs, 0, "2 lines: 2 created")
	code, out, errs = runPiped(t, environment, two, "import", "-", "--key=feed")
	wantExit(t, code, out, errs, 0, "Standard input was imported before", "nothing to do")
	code, out, errs = runPiped(t, environment, two+`{"name":"three"}`, "import", "-", "--key=feed")
	wantExit(t, code, out, errs, 0, "Resumed after line 2", "This run: 1 line: 1 created", "Overall:  3 lines: 3 created")
	code, out, errs = runPiped(t, environment, `{"name":"other"}`+"\n"+two, "import", "-", "--key=feed")
	wantExit(t, code, out, errs, 1, "key was used for other lines")
	if n := nodetest.CountItems(t, pool); n != 7 {
		t.Errorf("%d items, want 7", n)
	}
}

// The pipe stays open: an import that waits for its next line can be interrupted too.
func TestImport_InterruptedReportsWhereItStoppedAndHowToResume(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, hint string
		flags      []string
	}{
		{name: "pipe", hint: "after line 200; send the rest"},
		{name: "pipe with a key", hint: "after line 200; run the command again to resume", flags: []string{"--key=k"}},
		{name: "again", hint: "after line 200; run the command again without --again to resume", flags: []string{"--key=k", "--again"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pool, environment := newDatabase(t)
			pipe := filepath.Join(t.TempDir(), "pipe")
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			interrupted := nodetest.StartProcess(t, environment, append([]string{"import", pipe}, c.flags...)...)
			feed, err := os.OpenFile(pipe, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer feed.Close()
			for n := range 250 {
				fmt.Fprintf(feed, "{\"name\":\"item %d\"}\n", n+1)
			}
			nodetest.AwaitItems(t, pool, 200)
			interrupted.Signal(syscall.SIGINT)
			code, out, errs := interrupted.Wait(), interrupted.Stdout.String(), interrupted.Stderr.String()
			wantExit(t, code, out, errs, 130, "200 lines: 200 created", "itemcast: interrupted "+c.hint)
			if strings.Contains(errs, "context canceled") || !strings.HasSuffix(errs, "\n") {
				t.Errorf("it ends with\n%s", errs)
			}
			if c.flags == nil {
				return
			}
			code, out, errs = nodetest.RunProcess(t, environment, "import", "--key=k", writeItems(t, 250))
			wantExit(t, code, out, errs, 0, "Resumed after line 200", "This run: 50 lines: 50 created",
				"Overall:  250 lines: 250 created")
		})
	}
}

func TestImport_NamesTheInputThatItCannotRead(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for file, want := range map[string]string{"/no/such/file": `file "/no/such/file" does not exist: name a file of items`,
		folder: fmt.Sprintf("%q is a folder: name a file of items", folder)} {
		code, out, errs := nodetest.RunProcess(t, nil, "import", file)
		wantExit(t, code, out, errs, 1, want)
		if strings.Contains(errs, "<file>") || strings.Contains(errs, "stat") {
			t.Errorf("import %s: %s", file, errs)
		}
	}
}

func TestImport_HelpHasDefaultsAndExitCodes(t *testing.T) {
	t.Parallel()
	code, out, errs := nodetest.RunProcess(t, nil, "import", "--help")
	wantExit(t, code, strings.Join(strings.Fields(out), " "), errs, 0, "--[no-]create-fields",
		"Without it, lines with unknown names are rejected", "Create choice fields yourself",
		"3 lines were rejected", "130 interrupted", "- is standard input")
}

package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// BaselineCommand is the argument that makes this program the baseline. Run starts os.Executable with it.
const BaselineCommand = "baseline"

// baselineProcess is the baseline in a separate process, as Itemcast is.
type baselineProcess struct {
	addr  string
	cmd   *exec.Cmd
	stdin io.Closer
}

func startBaseline(ctx context.Context, c baselineConfig) (*baselineProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, BaselineCommand)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the baseline: %w", err)
	}
	b := &baselineProcess{cmd: cmd, stdin: stdin}
	stopKilling := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() }) // later, stop ends the process
	defer stopKilling()
	addr, err := "", json.NewEncoder(stdin).Encode(c)
	if err == nil {
		addr, err = bufio.NewReader(stdout).ReadString('\n')
	}
	if err != nil {
		b.stop()
		return nil, fmt.Errorf("start the baseline: %w", errors.Join(err, ctx.Err()))
	}
	b.addr = strings.TrimSpace(addr)
	return b, nil
}

func (b *baselineProcess) request(method, path, headers string, body []byte) []byte {
	return message(method, b.addr, path, headers, body)
}

func (b *baselineProcess) stop() {
	_ = b.stdin.Close()
	kill := time.AfterFunc(stopTimeout, func() { _ = b.cmd.Process.Kill() })
	defer kill.Stop()
	_ = b.cmd.Wait()
}

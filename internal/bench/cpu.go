package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of times in /proc/PID/stat (USER_HZ, 100 on every Linux that Go runs on).
const tick = 10 * time.Millisecond

// cpu is CPU time. Unlike rates, it hardly depends on other work on the machine.
type cpu struct {
	server, postgres, generator time.Duration
}

func (c cpu) total() time.Duration { return c.server + c.postgres + c.generator }

func (c cpu) String() string {
	return fmt.Sprintf("server %d + Postgres %d + load generator %d = %d µs", c.server.Microseconds(),
		c.postgres.Microseconds(), c.generator.Microseconds(), c.total().Microseconds())
}

func (c cpu) minus(d cpu) cpu {
	return cpu{c.server - d.server, c.postgres - d.postgres, c.generator - d.generator}
}

func (c cpu) plus(d cpu) cpu {
	return cpu{c.server + d.server, c.postgres + d.postgres, c.generator + d.generator}
}

func (c cpu) by(n int) cpu {
	count := time.Duration(max(1, n))
	return cpu{c.server / count, c.postgres / count, c.generator / count}
}

// processes are the ids of a server and of the Postgres behind it; 0: none. What the server starts is a part of it.
type processes struct{ server, postgres int }

// cpuUsed returns the CPU time that the processes and this process have used so far. Without /proc, only that of this
// process is known.
func (p processes) cpuUsed() cpu {
	var used cpu
	var own syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &own) == nil {
		used.generator = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // the process has ended
		}
		pid, parent, spent := readStat(string(content))
		switch {
		case p.postgres != 0 && (pid == p.postgres || parent == p.postgres): // the server may be its parent
			used.postgres += spent
		case pid == p.server, parent == p.server:
			used.server += spent
		}
	}
	return used
}

// readStat reads /proc/PID/stat (proc(5)): the ids of the process and of its parent, and its CPU time with that of
// its ended children.
func readStat(line string) (pid, parent int, spent time.Duration) {
	end := strings.LastIndexByte(line, ')') // the second field is a name in parentheses, which may contain any byte
	name := strings.IndexByte(line, ' ')
	if end < 0 || name < 0 {
		return 0, 0, 0
	}
	pid, _ = strconv.Atoi(line[:name])
	fields := strings.Fields(line[end+1:])
	const ppid, utime, cstime = 4 - 3, 14 - 3, 17 - 3 // proc(5) counts from 1, and the first two are cut off
	if len(fields) <= cstime {
		return 0, 0, 0
	}
	parent, _ = strconv.Atoi(fields[ppid])
	for _, field := range fields[utime : cstime+1] {
		ticks, _ := strconv.Atoi(field)
		spent += time.Duration(ticks) * tick
	}
	return pid, parent, spent
}

package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// A peer is a library in a process of its own, which answers lines. It is stopped while others are measured: the threads of many
// libraries spin for milliseconds after their work.
type peer struct {
	name        string
	description string
	missing     string // why there is no such peer, or ""

	process *exec.Cmd
	in      io.Writer
	out     *bufio.Reader
	errors  lastLine
}

// startPeer starts a peer and asks what it is.
func startPeer(name string, env, command []string) *peer {
	p := &peer{name: name, process: exec.Command(command[0], command[1:]...)}
	p.process.Env = env
	p.process.Stderr = &p.errors
	p.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // what is stopped would not see that we are gone
	in, err1 := p.process.StdinPipe()
	out, err2 := p.process.StdoutPipe()
	p.in, p.out = in, bufio.NewReaderSize(out, 1<<16)
	err := errors.Join(err1, err2)
	if err == nil {
		err = p.process.Start()
	}
	if err == nil {
		p.description, err = p.ask("describe")
	}
	if err != nil {
		p.missing = err.Error()
		return p
	}
	p.stop()
	return p
}

// check runs a job once and returns what it computed.
func (p *peer) check(threads int, job string) ([]float32, error) {
	if p.missing != "" {
		return nil, errors.New("missing")
	}
	p.resume()
	defer p.stop()
	answer, err := p.ask(fmt.Sprintf("check %d %s", threads, job))
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(answer)
	if err != nil {
		return nil, fmt.Errorf("unexpected answer %q", answer)
	}
	b := make([]byte, 4*n)
	if _, err := io.ReadFull(p.out, b); err != nil {
		return nil, err
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return x, nil
}

// time takes a sample of a job and returns the seconds of one repetition.
func (p *peer) time(threads int, job string) (float64, error) {
	p.resume()
	defer p.stop()
	answer, err := p.ask(fmt.Sprintf("time %d %s", threads, job))
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(answer, 64)
}

// ask sends a line and returns the answer. Where the peer skips the job, that is an error with its reason.
func (p *peer) ask(line string) (string, error) {
	_, err := fmt.Fprintln(p.in, line)
	answer := ""
	if err == nil {
		answer, err = p.out.ReadString('\n')
	}
	if err != nil {
		p.process.Wait()
		p.missing = strings.TrimSuffix(fmt.Sprintf("ended: %v: %s", p.process.ProcessState, p.errors), ": ")
		return "", errors.New(p.missing)
	}
	answer = strings.TrimSuffix(answer, "\n")
	if reason, skips := strings.CutPrefix(answer, "skip "); skips {
		return "", errors.New(reason)
	}
	return answer, nil
}

func (p *peer) resume() { p.process.Process.Signal(syscall.SIGCONT) }

// stop returns when all threads of the peer stand still.
func (p *peer) stop() {
	if p.missing == "" && p.process.Process.Signal(syscall.SIGSTOP) == nil {
		syscall.Wait4(p.process.Process.Pid, nil, syscall.WUNTRACED, nil)
	}
}

// A lastLine keeps the last line that was written to it.
type lastLine string

func (l *lastLine) Write(b []byte) (int, error) {
	if text := strings.TrimSpace(string(b)); text != "" {
		*l = lastLine(text[strings.LastIndexByte(text, '\n')+1:])
	}
	return len(b), nil
}

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polytropon/polytropon/safetensors"
)

// asMain is set for a test binary that is to be polybench.
const asMain = "POLYBENCH_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"inspect", "-help"}, {"verify", "-model", "x", "--help"}} {
		var out bytes.Buffer
		if err := run(t.Context(), args, &out); err != nil || out.String() != usage(commandOf(args)) {
			t.Errorf("%q: got %v and %q, want the usage", args, err, out.String())
		}
	}
}

// Every command is there, with a description of every flag that its line has, and a flag that no line has is not described.
func TestUsage(t *testing.T) {
	all := usage("")
	described := map[string]bool{"-threads": true, "-level": true}
	for _, u := range usages {
		text := usage(u.name)
		for _, line := range []string{"polybench " + u.name, u.line, strings.Split(u.does, "\n")[0]} {
			if !strings.Contains(all, line) || !strings.Contains(text, line) {
				t.Errorf("%q: got %q, want it with %q", u.name, text, line)
			}
		}
		if u.name == "" {
			continue
		}
		for word := range strings.FieldsSeq(u.line) {
			flag, _, _ := strings.Cut(strings.Trim(word, "[]"), "=")
			if described[flag] = true; strings.HasPrefix(flag, "-") && !strings.Contains(text, "\n  "+flag) {
				t.Errorf("%s: %s is not described", u.name, flag)
			}
		}
		if got, want := strings.Contains(text, "\n  -threads N"), u.name != "inspect" && u.name != "tokenize"; got != want {
			t.Errorf("%s: got %v for whether it has an engine, want %v", u.name, got, want)
		}
	}
	for _, f := range flagUsages {
		if flag, _, _ := strings.Cut(strings.Fields(f.flag)[0], "="); !described[flag] {
			t.Errorf("%s is of no command", f.flag)
		}
	}
	for _, test := range []struct{ args, want string }{
		{"nosuch", `unknown command "nosuch"`},
		{"-threads 1 gemm", `unexpected argument "gemm"; a command stands before its flags`},
	} {
		err := run(t.Context(), strings.Fields(test.args), io.Discard)
		if !errors.As(err, new(usageError)) || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", test.args, err, test.want)
		}
	}
	if usage("nosuch") != all {
		t.Error("an unknown command: got less than the whole usage")
	}
}

// full is a disk without room.
type full struct{ error }

func (f full) Write([]byte) (int, error) { return 0, f }

// What cannot be written is an error, whoever prints it.
func TestWriteErrors(t *testing.T) {
	disk := full{errors.New("no space left")}
	bare := changedReference(t, func(x *safetensors.Tensor) bool { return slices.Contains(inputs, x.Name) }, nil)
	for _, args := range [][]string{
		{"-h"}, verifyArgs("testdata/t5-mhr", "-reference", bare), verifyArgs("testdata/t5-mhr", "-reference", bare, "-json"),
		{"inspect", "testdata/t5-mhr/base"}, {"inspect", "testdata/t5-mhr/adapter"}, {"inspect", "testdata/t5-mhr/base/model.safetensors"},
	} {
		if err := run(t.Context(), args, disk); !errors.Is(err, disk) {
			t.Errorf("%q: got %v, want %v", args, err, disk)
		}
	}
}

// Answers go to the standard output; what is wrong goes to the standard error, with an exit status.
func TestExitStatus(t *testing.T) {
	for _, test := range []struct {
		args        []string
		status      int
		out, stderr string // beginnings
	}{
		{[]string{"-h"}, 0, "usage:\n", ""},
		{[]string{"inspect", "testdata/t5-mhr/base"}, 0, "architecture ", ""},
		{[]string{"inspect", "testdata/none"}, 1, "", "polybench: stat testdata/none"},
		{[]string{"inspect"}, 2, "", "polybench: inspect needs a path\nSee \"polybench inspect -h\".\n"},
		{[]string{"nosuch"}, 2, "", "polybench: unknown command \"nosuch\"\nSee \"polybench -h\".\n"},
		{[]string{"help"}, 0, "usage:\n", ""},
		{[]string{"elem", "-threads", "2147483647"}, 2, "", "polybench: mat: threads: got 2147483647, want 0 ≤ threads ≤ 4096\nSee \"polybench elem -h\".\n"},
		{[]string{"gemm", "-level", "mmx"}, 2, "", "polybench: mat: level: \"mmx\" is not available here"},
	} {
		c := exec.Command(os.Args[0], test.args...)
		c.Env = append(os.Environ(), asMain+"=1")
		var out, stderr bytes.Buffer
		c.Stdout, c.Stderr = &out, &stderr
		c.Run()
		is := func(b *bytes.Buffer, begin string) bool {
			return strings.HasPrefix(b.String(), begin) && (b.Len() == 0) == (begin == "")
		}
		if got := c.ProcessState.ExitCode(); got != test.status || !is(&out, test.out) || !is(&stderr, test.stderr) {
			t.Errorf("%q: got the status %d, the output %q and the errors %q", test.args, got, out.String(), stderr.String())
		}
	}
}

// Who is interrupted while measuring says so.
func TestInterruptIsTheReason(t *testing.T) {
	self, err := os.FindProcess(os.Getpid())
	if err != nil || runtime.GOOS == "windows" || signal.Ignored(os.Interrupt) {
		t.Skip("no process can be interrupted here")
	}
	caught := make(chan os.Signal, 1) // lest an interrupt that comes too soon or too late end the test
	signal.Notify(caught, os.Interrupt)
	defer signal.Stop(caught)
	ended := make(chan error)
	go func() { ended <- run(t.Context(), []string{"elem", "-level", "generic"}, io.Discard) }()
	for {
		select {
		case err := <-ended:
			if err == nil || !strings.Contains(err.Error(), "interrupt") {
				t.Errorf("got %v, want that it was interrupted", err)
			}
			return
		case <-time.After(20 * time.Millisecond):
			self.Signal(os.Interrupt)
		}
	}
}

// An interrupt ends who waits for input, which is not given here.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" || signal.Ignored(os.Interrupt) {
		t.Skip("no process can be interrupted here")
	}
	c := exec.Command(os.Args[0], "tokenize", "-tokenizer", exampleTokenizer)
	c.Env = append(os.Environ(), asMain+"=1")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(10*time.Second, func() { c.Process.Kill() }).Stop()
	io.WriteString(in, "good\n")
	line := make([]byte, 6)
	if _, err := io.ReadFull(out, line); err != nil || string(line) != "[3,0]\n" {
		t.Errorf("got %q, %v", line, err)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil || !strings.Contains(err.Error(), "interrupt") {
		t.Errorf("got %v, want an end by the interrupt", err)
	}
}

package train_test

import (
	"context"
	"errors"
	"io/fs"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/train"
)

// killedEnv names the folder in which a child of TestKill trains.
const killedEnv = "TRAIN_TEST_KILLED"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedEnv); dir != "" {
		trainUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// killedConfig is a run that keeps a checkpoint of every step, and is never done.
func killedConfig(e *mat.Engine, o train.Objective, dir string) train.Config {
	c := lookupConfig(e, o)
	c.MaxSteps, c.SaveSteps, c.EvalSteps, c.OutputDir = 1<<30, 1, 3, dir
	c.Eval = train.Slice{{InputIDs: []int{4}, Labels: []int{4}}}
	return c
}

// trainUntilKilled trains from the last checkpoint in dir, and says so before it begins.
func trainUntilKilled(dir string) {
	l, err := train.New(killedConfig(newEngine(), newLookup(10, 8, 10, 1), dir))
	if err != nil {
		log.Fatal(err)
	}
	if last, err := train.LastCheckpoint(dir); err == nil {
		if err := l.Load(last); err != nil {
			log.Fatal(err)
		}
	}
	os.Stdout.WriteString("!")
	log.Fatal(l.Run(context.Background()))
}

// TestKill kills a process 200 times at random moments while it trains and keeps checkpoints. What it leaves is always a whole checkpoint, with
// the bits of a run that was never killed, from which the next process goes on.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts 200 processes")
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no SIGKILL on", runtime.GOOS)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	e := testEngine(t, mat.Options{})
	whole := newWholeRun(t, e)
	source := rand.New(rand.NewPCG(1, 2))
	unfinished := 0
	for i := range 200 {
		child := exec.Command(self)
		child.Env = append(os.Environ(), killedEnv+"="+dir)
		child.Stderr = os.Stderr
		begun, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); errors.Is(err, syscall.ENOEXEC) {
			t.Skip("tests run in an emulator, where a process cannot start itself")
		} else if err != nil {
			t.Fatal(err)
		}
		begun.Read(make([]byte, 1))
		time.Sleep(time.Duration(source.IntN(40_000)) * time.Microsecond)
		child.Process.Kill()
		if err := child.Wait(); child.ProcessState.ExitCode() != -1 {
			t.Fatalf("kill %d: the process ended by itself: %v", i, err)
		}
		for _, name := range entries(t, dir) {
			if name[0] == '.' {
				unfinished++
			} else if err := newLoop(t, killedConfig(e, newLookup(10, 8, 10, 1), "")).Load(filepath.Join(dir, name)); err != nil {
				t.Fatalf("kill %d: %v", i, err)
			}
		}
		last, err := train.LastCheckpoint(dir)
		if errors.Is(err, fs.ErrNotExist) && whole.step() == 0 {
			continue // killed before the first
		}
		if err != nil {
			t.Fatal(err)
		}
		whole.check(t, last)
		if _, err := train.BestCheckpoint(dir); err != nil && whole.step() > 3 {
			t.Fatalf("kill %d: %v", i, err)
		}
	}
	t.Logf("%d steps; %d kills left something unfinished", whole.step(), unfinished)
	if whole.step() < 10 || unfinished < 10 {
		t.Errorf("got %d steps and %d kills in the middle of a checkpoint, want more", whole.step(), unfinished)
	}
}

// A wholeRun is the run that is not killed. It goes on as far as what it is compared with.
type wholeRun struct {
	objective *lookup
	config    train.Config
	loop      *train.Loop
	target    int
	cancel    context.CancelFunc
}

func newWholeRun(t *testing.T, e *mat.Engine) *wholeRun {
	w := &wholeRun{objective: newLookup(10, 8, 10, 1)}
	c := killedConfig(e, w.objective, "")
	c.OnStep = func(p train.Progress) {
		if p.Step == w.target {
			w.cancel()
		}
	}
	w.config, w.loop = c, newLoop(t, c)
	return w
}

func (w *wholeRun) step() int { return w.loop.Position().Step }

// check loads a checkpoint and compares its parameters.
func (w *wholeRun) check(t *testing.T, checkpoint string) {
	t.Helper()
	objective := newLookup(10, 8, 10, 1)
	l := newLoop(t, killedConfig(w.config.Engine, objective, ""))
	if err := l.Load(checkpoint); err != nil {
		t.Fatal(err)
	}
	if w.target = l.Position().Step; w.target < w.step() {
		t.Fatalf("got a checkpoint of step %d, want one of step %d or later", w.target, w.step())
	}
	if w.target > w.step() {
		var ctx context.Context
		ctx, w.cancel = context.WithCancel(t.Context())
		if err := w.loop.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if !equalBits(values(objective), values(w.objective)) {
		t.Fatalf("%s: got other bits than the run that is not killed", checkpoint)
	}
}

package train

import (
	"context"
	"errors"
	"fmt"
)

// evaluate finds the loss of the evaluation's dataset, and whether it is less than all before.
func (l *Loop) evaluate(ctx context.Context) error {
	e := Evaluation{Step: l.position.Step}
	data := l.batcher(l.config.Eval)
	data.open(0, 0)
	defer data.close()
	total, done := 0.0, 0
	for more := true; more; {
		n := 0
		for n < len(l.batches) && more {
			b := l.batches[n]
			var err error
			if more, err = data.fill(b); err != nil {
				return fmt.Errorf("train: evaluation: %w", err)
			}
			e.Examples += len(b.Examples)
			e.Tokens += b.size.Tokens
			e.Labels += b.size.Labels
			if b.size.Labels == 0 { // nothing to find a mean of, or no examples
				continue
			}
			b.Training, b.Step, b.Index, b.Labels = false, l.position.Step, done+n, b.size.Labels
			n++
		}
		if n == 0 {
			break
		}
		if err := l.crew.run(ctx, l.batches[:n]); err != nil {
			return fmt.Errorf("train: evaluation: %w", err)
		}
		for i, loss := range l.crew.losses {
			total += float64(float64(loss) * float64(l.batches[i].Labels))
		}
		done += n
	}
	if e.Labels == 0 {
		return errors.New("train: evaluation: got no labels that count, want at least one")
	}
	e.Loss = total / float64(e.Labels)
	if err := finite(e.Step, "evaluation loss", e.Loss); err != nil {
		return err
	}
	p := &l.position
	if e.Best = p.BestStep == 0 || e.Loss < p.BestLoss; e.Best {
		p.BestStep, p.BestLoss = e.Step, e.Loss
	}
	p.Evaluated = e.Step
	if l.config.OnEvaluate != nil {
		l.config.OnEvaluate(e)
	}
	return nil
}

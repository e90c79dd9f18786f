package nn

import "github.com/polytropon/polytropon/autodiff"

// Apply returns f(x), element by element. Without a tape it is x that is changed and returned.
func Apply(p *Pass, f *autodiff.Function, x autodiff.Value) autodiff.Value {
	if p.Tape != nil {
		return p.Tape.Apply(f, x)
	}
	f.Set(p.Engine, x.Matrix, x.Matrix)
	return x
}

// Times returns x ⊙ y, element by element. Without a tape it is x that is changed and returned.
func Times(p *Pass, x, y autodiff.Value) autodiff.Value {
	if p.Tape != nil {
		return p.Tape.Times(x, y)
	}
	p.Engine.MulElem(x.Matrix, x.Matrix, y.Matrix)
	return x
}

// Gate returns f(x) ⊙ y, element by element: the gate of a feed-forward layer. Without a tape it is x that is changed and returned.
func Gate(p *Pass, f *autodiff.Function, x, y autodiff.Value) autodiff.Value {
	if p.Tape != nil {
		return p.Tape.Gate(f, x, y)
	}
	f.SetGate(p.Engine, x.Matrix, x.Matrix, y.Matrix)
	return x
}

// Scale returns x · s. Without a tape it is x that is changed and returned.
func Scale(p *Pass, x autodiff.Value, s float32) autodiff.Value {
	if p.Tape != nil {
		return p.Tape.Scale(x, s)
	}
	p.Engine.Scale(x.Matrix, x.Matrix, s)
	return x
}

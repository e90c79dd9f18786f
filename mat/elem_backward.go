package mat

// The derivatives of the element functions: dx = dy ⊙ f'(x), where x is what the function was given. All three have the same shape; dx may be
// dy or x, but must not overlap one otherwise. For a gradient of 1 the result is f'(x) with an error of units in the last place or in absolute
// terms, whichever is more; the product with the gradient is one more rounding.

// ReLUBackward sets dx = dy where x > 0 and 0 where it is not, and dy where x is NaN.
func (e *Engine) ReLUBackward(dx, dy, x Matrix) { e.binary(dx, x, dy, e.level.Elem.ReLUBackward) }

// SigmoidBackward sets dx = dy · s·(1 - s), s = Sigmoid(x): 2 units.
func (e *Engine) SigmoidBackward(dx, dy, x Matrix) { e.binary(dx, x, dy, e.level.Elem.SigmoidBackward) }

// TanhBackward sets dx = dy · (1 - tanh² x): 2 units.
func (e *Engine) TanhBackward(dx, dy, x Matrix) { e.binary(dx, x, dy, e.level.Elem.TanhBackward) }

// SiLUBackward sets dx = dy · s·(1 + x·(1 - s)), s = Sigmoid(x): 3 units or 2⁻²⁵.
func (e *Engine) SiLUBackward(dx, dy, x Matrix) { e.binary(dx, x, dy, e.level.Elem.SiLUBackward) }

// GELUBackward sets dx = dy · (Φ(x) + x·φ(x)), Φ being the normal distribution and φ its density: 3 units or 2⁻²⁵.
func (e *Engine) GELUBackward(dx, dy, x Matrix) { e.binary(dx, x, dy, e.level.Elem.GELUBackward) }

// GELUTanhBackward sets dx = dy · s·(1 + x·z'·(1 - s)), s = Sigmoid(z) and z = 2·√(2/π)·(x + 0.044715·x³): 4 units or 2⁻²⁵.
func (e *Engine) GELUTanhBackward(dx, dy, x Matrix) {
	e.binary(dx, x, dy, e.level.Elem.GELUTanhBackward)
}

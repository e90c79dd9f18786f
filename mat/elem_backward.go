package mat

// The derivatives of the element functions: x is what the function was given, and dx may be dy or x.

// ReLUBackward sets dx = dy where x > 0 and 0 where it is not, and dy where x is NaN.
func (e *Engine) ReLUBackward(dx, dy, x Matrix) { e.binary(dx, x, dy, e.level.Elem.ReLUBackward) }

// SigmoidBackward sets dx = dy · s·(1 - s), s = Sigmoid(x), within 2 units in the last place.
func (e *Engine) SigmoidBackward(dx, dy, x Matrix) { e.binary(dx, x, dy, e.level.Elem.SigmoidBackward) }

// TanhBackward sets dx = dy · (1 - tanh² x), within 2 units in the last place.
func (e *Engine) TanhBackward(dx, dy, x Matrix) { e.binary(dx, x, dy, e.level.Elem.TanhBackward) }

// SiLUBackward sets dx = dy · s·(1 + x·(1 - s)), s = Sigmoid(x), within 3 units in the last place or 2⁻²⁵.
func (e *Engine) SiLUBackward(dx, dy, x Matrix) { e.binary(dx, x, dy, e.level.Elem.SiLUBackward) }

// GELUBackward sets dx = dy · (Φ(x) + x·φ(x)), Φ being the normal distribution and φ its density, within 3 units in the last place
// or 2⁻²⁵.
func (e *Engine) GELUBackward(dx, dy, x Matrix) { e.binary(dx, x, dy, e.level.Elem.GELUBackward) }

// GELUTanhBackward sets dx = dy · s·(1 + x·z'·(1 - s)), s = Sigmoid(z) and z = 2·√(2/π)·(x + 0.044715·x³), within 4 units in the
// last place or 2⁻²⁵.
func (e *Engine) GELUTanhBackward(dx, dy, x Matrix) {
	e.binary(dx, x, dy, e.level.Elem.GELUTanhBackward)
}

package mat

import "fmt"

// Rope turns the heads of every row of x in place by the angles of the row's position (Su et al. 2021, in the layout of Llama's weights): with
// half = headSize/2, column i < half of a head and column i+half are the coordinates of a point, of which
//
//	x_i      = x_i·cos_i - x_i+half·sin_i
//	x_i+half = x_i+half·cos_i + x_i·sin_i
//
// rounding each product and sum. x has heads·headSize columns; cos and sin have a row for each of its, and half columns. They must not overlap x.
func (e *Engine) Rope(x Matrix, heads, headSize int, cos, sin Matrix) {
	e.rope(x, heads, headSize, cos, sin, 1)
}

// RopeBackward turns the gradient of what Rope gave into that of x, in place: it turns the other way.
func (e *Engine) RopeBackward(dx Matrix, heads, headSize int, cos, sin Matrix) {
	e.rope(dx, heads, headSize, cos, sin, -1)
}

func (e *Engine) rope(x Matrix, heads, headSize int, cos, sin Matrix, sign float32) {
	checkShapes("Rope", cos, sin)
	if headSize%2 != 0 || x.Cols != heads*headSize || cos.Rows != x.Rows || cos.Cols != headSize/2 {
		panic(fmt.Sprintf("mat: Rope of %s, %d heads of %d, by angles of %s", x.Shape(), heads, headSize, cos.Shape()))
	}
	w := e.work(doRope, cos, x)
	w.y, w.s = sin, sign
	e.shareRows(w)
}

func doRope(w *work, r, _, _ int) {
	x, cos, sin := w.x.Row(r), w.dst.Row(r), w.y.Row(r)
	for half := len(cos); len(x) > 0; x = x[2*half:] {
		w.engine.level.Elem.Rope(x[:half], x[half:2*half], cos, sin, w.s)
	}
}

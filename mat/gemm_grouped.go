package mat

// MulGrouped computes C = A·B for every product of the group.
func (e *Engine) MulGrouped(group []Product) { e.grouped(group, product{}) }

// MulAddGrouped computes C = C + A·B for every product of the group.
func (e *Engine) MulAddGrouped(group []Product) { e.grouped(group, product{add: true}) }

// MulMatrixGrouped computes C = A·B for every product of the group.
func (e *Engine) MulMatrixGrouped(group []MatrixProduct) { e.groupedMatrix(group, product{}) }

// MulAddMatrixGrouped computes C = C + A·B for every product of the group.
func (e *Engine) MulAddMatrixGrouped(group []MatrixProduct) {
	e.groupedMatrix(group, product{add: true})
}

// MulMatrixTGrouped computes C = A·Bᵀ, as MulMatrixT does, for every product of the group.
func (e *Engine) MulMatrixTGrouped(group []MatrixProduct) {
	e.groupedMatrix(group, product{right: true})
}

// MulAddMatrixTGrouped computes C = C + A·Bᵀ, as MulMatrixT does, for every product of the group.
func (e *Engine) MulAddMatrixTGrouped(group []MatrixProduct) {
	e.groupedMatrix(group, product{right: true, add: true})
}

// MulTMatrixGrouped computes C = Aᵀ·B, as MulTMatrix does, for every product of the group.
func (e *Engine) MulTMatrixGrouped(group []MatrixProduct) {
	e.groupedMatrix(group, product{left: true})
}

// MulAddTMatrixGrouped computes C = C + Aᵀ·B, as MulTMatrix does, for every product of the group.
func (e *Engine) MulAddTMatrixGrouped(group []MatrixProduct) {
	e.groupedMatrix(group, product{left: true, add: true})
}

// grouped computes the products of the kind that p is.
func (e *Engine) grouped(group []Product, p product) {
	t := e.task()
	for _, g := range group {
		p.c, p.a, p.packed = g.C, g.A, g.B
		t.products = append(t.products, p)
	}
	t.run()
}

func (e *Engine) groupedMatrix(group []MatrixProduct, p product) {
	t := e.task()
	for _, g := range group {
		p.c, p.a, p.b = g.C, g.A, g.B
		t.products = append(t.products, p)
	}
	t.run()
}

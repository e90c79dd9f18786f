package optim

import (
	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/safetensors"
)

// An Optimizer changes the parameters of its groups. One call at a time.
type Optimizer interface {
	// Step changes every parameter by what its gradient holds now, at the rate of its group times factor, which is mostly a Schedule's.
	// It leaves the gradients as they are. One that is not finite makes parameters and state NaN or infinite, as it does in PyTorch.
	Step(e *mat.Engine, factor float64)

	// Groups returns the groups that the optimiser was made with (torch's param_groups).
	Groups() []Group

	// Steps returns how many steps led to the present state: what to ask a Schedule about before the next step.
	Steps() int

	// State returns a copy of what the next step depends on besides parameters, gradients and options: the tensor "step", an I64 scalar, and
	// F32 tensors "<parameter>.<kind>", where the kinds have the names that PyTorch and transformers give them.
	State() []safetensors.Tensor

	// SetState puts a state back that an optimiser of the same kind, with parameters of the same names and shapes, returned. A tensor that is
	// missing, unknown or of another type or shape is an error that names it; the optimiser then stays as it was.
	SetState(tensors []safetensors.Tensor) error
}

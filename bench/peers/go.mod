module github.com/polytropon/polytropon/bench/peers

go 1.26.0

require (
	github.com/klauspost/cpuid/v2 v2.4.2
	github.com/polytropon/polytropon v0.0.0
	gonum.org/v1/gonum v0.17.0
)

require golang.org/x/sys v0.50.0 // indirect

replace github.com/polytropon/polytropon => ../..

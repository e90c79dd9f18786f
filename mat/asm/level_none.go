//go:build !(amd64 || arm64) || purego || noasm

package asm

var levels = []*Level{generic}

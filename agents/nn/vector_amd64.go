package nn

import (
	"unsafe"

	"overnight/internal/fp"
	"overnight/internal/simd"
)

//go:generate go run -C ../../internal/asm ./perceptron -out ../../agents/nn/kernels_amd64.s -stubs ../../agents/nn/kernels_amd64.go -pkg nn

// The forward kernel knows where the fields of a step are.
var _ [13 * 8]byte = [unsafe.Sizeof(step[float32]{})]byte{}

// kernelsOf returns the kernels of a level; nil: plain Go.
func kernelsOf[T fp.Float](l simd.Level) *kernels[T] {
	var k any
	var v T
	switch _, single := any(v).(float32); {
	case l == simd.AVX512 && single:
		k = &kernels[float32]{forward32AVX512, transfer32AVX512, outer32AVX512, squares32AVX2, adam32AVX512, adamFour32, transpose32AVX512, columns32AVX512, panel32AVX512, half32AVX2, panels32AVX512,
			softmax32AVX512, softmaxBack32AVX512,
			[4]func(*float32, int){nil, relu32AVX512, tanh32AVX512, sigmoid32AVX512},
			[4]func(g, y *float32, panels int){nil, reluBack32AVX512, tanhBack32AVX512, sigmoidBack32AVX512}}
	case l == simd.AVX512:
		k = &kernels[float64]{forward64AVX512, transfer64AVX512, outer64AVX512, squares64AVX2, adam64AVX512, adamFour64, transpose64AVX512, columns64AVX512, panel64AVX512, half64AVX512, nil,
			softmax64AVX512, softmaxBack64AVX512,
			[4]func(*float64, int){nil, relu64AVX512, tanh64AVX512, sigmoid64AVX512},
			[4]func(g, y *float64, panels int){nil, reluBack64AVX512, tanhBack64AVX512, sigmoidBack64AVX512}}
	case l == simd.AVX2 && single:
		k = &kernels[float32]{forward32AVX2, transfer32AVX2, outer32AVX2, squares32AVX2, adam32AVX2, adamFour32, transpose32AVX2, columns32AVX2, panel32AVX2, half32AVX2, nil,
			softmax32AVX2, softmaxBack32AVX2,
			[4]func(*float32, int){nil, relu32AVX2, tanh32AVX2, sigmoid32AVX2},
			[4]func(g, y *float32, panels int){nil, reluBack32AVX2, tanhBack32AVX2, sigmoidBack32AVX2}}
	case l == simd.AVX2:
		k = &kernels[float64]{forward64AVX2, transfer64AVX2, outer64AVX2, squares64AVX2, adam64AVX2, adamFour64, transpose64AVX2, columns64AVX2, panel64AVX2, half64AVX2, nil,
			softmax64AVX2, softmaxBack64AVX2,
			[4]func(*float64, int){nil, relu64AVX2, tanh64AVX2, sigmoid64AVX2},
			[4]func(g, y *float64, panels int){nil, reluBack64AVX2, tanhBack64AVX2, sigmoidBack64AVX2}}
	default:
		return nil
	}
	return k.(*kernels[T])
}

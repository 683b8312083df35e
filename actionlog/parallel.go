package actionlog

import (
	"runtime"
	"sync"
)

// parallel runs f for 0 ≤ i < n on all cores, in stretches; few are not worth a goroutine.
func parallel(n int, f func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), (n+3)/4)
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w * n / workers; i < (w+1)*n/workers; i++ {
				f(i)
			}
		})
	}
	wg.Wait()
}

// stretches cuts 0..n into one stretch per core.
func stretches(n int, f func(lo, hi int)) {
	workers := max(1, min(runtime.GOMAXPROCS(0), n/32))
	parallelExactly(workers, func(w int) { f(w*n/workers, (w+1)*n/workers) })
}

func parallelExactly(workers int, f func(w int)) {
	var wg sync.WaitGroup
	for w := 1; w < workers; w++ {
		wg.Go(func() { f(w) })
	}
	f(0)
	wg.Wait()
}

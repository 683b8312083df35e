package actionlog_test

import (
	"os"
	"strconv"
)

// scale is how often a random suite runs: n by default, n × TEAPOT_SUITES when set (make suites sets 40).
func scale(n int) int {
	if k, err := strconv.Atoi(os.Getenv("TEAPOT_SUITES")); err == nil && k > 0 {
		return n * k
	}
	return n
}

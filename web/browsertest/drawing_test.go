//go:build browser

package browsertest

import (
	"testing"
	"time"
)

func TestDrawnVerdicts(t *testing.T) {
	for _, name := range []string{"affirming", "simulated", "broken"} {
		t.Run(name, func(t *testing.T) {
			b := drawn(t, name+".json")
			b.wait(`document.querySelector(".verdict[data-tier]:not([data-tier=none])")`, 5*time.Second)
			b.shots("drawn-" + name)
			b.axe(name)
			b.clean()
		})
	}
}

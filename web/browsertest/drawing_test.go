//go:build browser

package browsertest

import (
	"testing"
	"time"
)

func TestDrawnVerdicts(t *testing.T) {
	for _, name := range []string{"affirming", "simulated", "broken"} {
		t.Run(name, func(t *testing.T) {
			b := drawn(t, "/explorer", map[string]string{"appraise": name + ".json", "explain": "quote.json"})
			b.fill("#input", "0x04000300810000007369")
			b.click("#check")
			b.wait(`document.querySelector(".verdict[data-tier]:not([data-tier=none])")`, 5*time.Second)
			b.shots("drawn-" + name)
			b.axe(name)
			b.clean()
		})
	}
}

func TestDrawnAgent(t *testing.T) {
	b := drawn(t, "/web/../", map[string]string{"judge": "judged.json"})
	b.wait(`document.querySelector("tp-log .entry")`, 5*time.Second)
	b.click(`.entry[data-index="6"] button`)
	b.shots("drawn-agent")
	b.axe("agent")
}

func TestDrawnChat(t *testing.T) {
	b := drawn(t, "/chat", map[string]string{"judge": "judged.json"})
	b.wait(`document.querySelector(".seal[data-seal]")`, 5*time.Second)
	b.shots("drawn-chat")
	b.axe("chat")
}

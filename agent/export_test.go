package agent

import "github.com/teapot-tee/teapot/agent/record"

// LogOf gives tests the agent's log.
func LogOf(a *Agent) record.Log { return a.config.Log }

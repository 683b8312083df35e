// Command testcount reads `go test -json` on stdin, prints failures and a line per package, and writes
// "N passed, N failed, N skipped" to the file named as its argument.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
)

type event struct{ Action, Package, Test, Output string }

type counter struct {
	passed, failed, skipped int
	output                  map[string][]string
	skips                   map[string]bool
}

func main() {
	c := counter{output: map[string][]string{}, skips: map[string]bool{}}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 64<<20)
	for in.Scan() {
		c.line(in.Bytes())
	}
	for _, name := range sorted(c.skips) {
		fmt.Println("skipped:", name)
	}
	line := fmt.Sprintf("%d passed, %d failed, %d skipped\n", c.passed, c.failed, c.skipped)
	fmt.Print(line)
	if err := os.WriteFile(os.Args[1], []byte(line), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "testcount:", err)
		os.Exit(1)
	}
}

func (c *counter) line(raw []byte) {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		fmt.Println(string(raw)) // a build error, not JSON
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		c.output[key] = append(c.output[key], e.Output)
	case "pass":
		if e.Test == "" {
			fmt.Println("ok  ", e.Package)
			return
		}
		c.passed++
		delete(c.output, key)
	case "skip":
		if e.Test == "" {
			return
		}
		c.skipped++
		c.skips[key] = true
	case "fail":
		for _, line := range c.output[key] {
			fmt.Print(line)
		}
		fmt.Println("FAIL", key)
		c.failed++
	case "build-fail":
		for _, lines := range c.output {
			for _, line := range lines {
				fmt.Print(line)
			}
		}
	}
}

func sorted(set map[string]bool) []string {
	var names []string
	for name := range set {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

package appcompose

import (
	"fmt"
	"regexp"
	"strings"
)

// GuestDir is where the wrapped container finds Teapot's guest API sockets.
const GuestDir = "/run/teapot"

// Wrap describes any container with Teapot beside it.
type Wrap struct {
	Image   string   // the container: Eliza in Node, a Python agent …; by digest
	Teapot  string   // Teapot's image; by digest
	Agent   string   // name of the agent in Teapot's log
	Ports   []string // published ports of the wrapped container, "host:guest"
	Env     []string // names that arrive encrypted and go to the wrapped container; those that begin with TEAPOT_ go to Teapot
	Command []string // of the wrapped container; nil: the image's own
}

var byDigest = regexp.MustCompile(`^[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}$`)

// plain are strings that need no YAML quoting tricks: everything else is refused rather than escaped.
var plain = regexp.MustCompile(`^[A-Za-z0-9@%+=:,./ _-]*$`)

// Compose writes the compose file: the platform's sockets go into Teapot only; the container gets Teapot's guest API through a
// named volume and finds it where dstack's SDKs look, by their environment variables.
func (w Wrap) Compose() ([]byte, error) {
	if err := w.validate(); err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "services:\n  teapot:\n    image: %s\n", w.Teapot)
	fmt.Fprintf(&b, "    command: [%q, %q, %q, %q, %q]\n", "serve", "--agent", w.Agent, "--guest-dir", GuestDir)
	writeEnv(&b, w.env(true))
	b.WriteString("    volumes:\n      - /var/run/tappd.sock:/var/run/tappd.sock\n      - /var/run/dstack.sock:/var/run/dstack.sock\n")
	fmt.Fprintf(&b, "      - teapot:/data\n      - teapot-guest:%s\n    ports: [\"3000:3000\"]\n    restart: always\n", GuestDir)
	fmt.Fprintf(&b, "  app:\n    image: %s\n", w.Image)
	if len(w.Command) > 0 {
		quoted := make([]string, len(w.Command))
		for i, c := range w.Command {
			quoted[i] = fmt.Sprintf("%q", c)
		}
		fmt.Fprintf(&b, "    command: [%s]\n", strings.Join(quoted, ", "))
	}
	b.WriteString("    environment:\n")
	fmt.Fprintf(&b, "      - DSTACK_SIMULATOR_ENDPOINT=%s/dstack.sock\n      - TAPPD_SIMULATOR_ENDPOINT=%s/tappd.sock\n", GuestDir, GuestDir)
	fmt.Fprintf(&b, "      - TEAPOT_LOG_SOCKET=%s/log.sock\n", GuestDir)
	for _, name := range w.env(false) {
		fmt.Fprintf(&b, "      - %s\n", name)
	}
	fmt.Fprintf(&b, "    volumes:\n      - teapot-guest:%s\n", GuestDir)
	for i, p := range w.Ports {
		if i == 0 {
			b.WriteString("    ports:\n")
		}
		fmt.Fprintf(&b, "      - %q\n", p)
	}
	b.WriteString("    depends_on: [teapot]\n    restart: always\nvolumes:\n  teapot:\n  teapot-guest:\n")
	return []byte(b.String()), nil
}

// env are the names for Teapot itself, or the others.
func (w Wrap) env(teapot bool) (names []string) {
	for _, name := range w.Env {
		if strings.HasPrefix(name, "TEAPOT_") == teapot {
			names = append(names, name)
		}
	}
	return names
}

func writeEnv(b *strings.Builder, entries []string) {
	if len(entries) == 0 {
		return
	}
	b.WriteString("    environment:\n")
	for _, e := range entries {
		fmt.Fprintf(b, "      - %s\n", e)
	}
}

func (w Wrap) validate() error {
	for what, image := range map[string]string{"--image": w.Image, "--teapot-image": w.Teapot} {
		if !byDigest.MatchString(image) {
			return fmt.Errorf("%s %q: name the image by digest (name@sha256:…): a tag can point to other code tomorrow", what, image)
		}
	}
	for _, s := range append(append([]string{w.Agent}, w.Command...), w.Ports...) {
		if !plain.MatchString(s) {
			return fmt.Errorf("%q holds characters this renderer does not write into YAML; write the compose file yourself and pass it with --compose", s)
		}
	}
	for _, name := range w.Env {
		if !validEnv(name) {
			return fmt.Errorf("environment name %q: letters, digits and _ wanted", name)
		}
	}
	return nil
}

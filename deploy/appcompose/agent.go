package appcompose

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Agent describes Teapot's own agent with a character that stands in the measured file itself.
type Agent struct {
	Teapot    string   // image, by digest
	Character []byte   // without secrets: everybody can read it
	Env       []string // names that arrive encrypted
	Ports     []string // published ports, "host:guest"; nil is 80:3000
}

// maxCharacter keeps the command line below what Linux takes as one argument (128 KiB).
const maxCharacter = 90 << 10

// Compose writes the compose file. The character is an argument, so the compose hash covers it and no file has to get into the guest.
func (a Agent) Compose() ([]byte, error) {
	if !byDigest.MatchString(a.Teapot) {
		return nil, fmt.Errorf("--teapot-image %q: name the image by digest (name@sha256:…): a tag can point to other code tomorrow", a.Teapot)
	}
	if len(a.Character) > maxCharacter {
		return nil, fmt.Errorf("the character has %d bytes, a measured command line takes %d: build an image with the file in it, FROM Teapot's", len(a.Character), maxCharacter)
	}
	ports := a.Ports
	if len(ports) == 0 {
		ports = []string{"80:3000"}
	}
	for _, s := range ports {
		if !plain.MatchString(s) {
			return nil, fmt.Errorf("%q is no port", s)
		}
	}
	for _, name := range a.Env {
		if !validEnv(name) {
			return nil, fmt.Errorf("environment name %q: letters, digits and _ wanted", name)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "services:\n  teapot:\n    image: %s\n", a.Teapot)
	fmt.Fprintf(&b, "    command: [\"run\", \"--character\", \"base64:%s\"]\n", base64.StdEncoding.EncodeToString(a.Character))
	writeEnv(&b, append([]string{"TEE_MODE=PRODUCTION", "SERVER_PORT=3000"}, a.Env...))
	b.WriteString("    volumes:\n      - /var/run/tappd.sock:/var/run/tappd.sock\n      - /var/run/dstack.sock:/var/run/dstack.sock\n      - teapot:/data\n    ports:\n")
	for _, p := range ports {
		fmt.Fprintf(&b, "      - %q\n", p)
	}
	b.WriteString("    restart: always\nvolumes:\n  teapot:\n")
	return []byte(b.String()), nil
}

// Unreached lists the names that no service of the compose file takes from the environment: their values would reach nobody. The error
// says that this is no compose file.
func Unreached(compose []byte, names []string) ([]string, error) {
	var file struct {
		Services map[string]struct{ Environment yaml.Node }
	}
	if err := yaml.Unmarshal(compose, &file); err != nil {
		return nil, fmt.Errorf("this is no compose file, a mapping with services is wanted: %w", err)
	}
	if len(file.Services) == 0 {
		return nil, errors.New("this is no compose file: it has no services")
	}
	taken := map[string]bool{}
	for _, service := range file.Services {
		for i, n := range service.Environment.Content {
			if service.Environment.Kind == yaml.MappingNode && i%2 == 1 {
				takenFrom(taken, n.Value) // NAME: ${OTHER}
				continue
			}
			name, value, _ := strings.Cut(n.Value, "=")
			taken[name] = true
			takenFrom(taken, value)
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return taken[name] }), nil
}

// takenFrom adds the variables that a value is filled in from: $NAME and ${NAME…}.
func takenFrom(taken map[string]bool, value string) {
	for _, part := range strings.Split(value, "$")[1:] {
		part = strings.TrimPrefix(part, "{")
		end := strings.IndexFunc(part, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		})
		if end < 0 {
			end = len(part)
		}
		taken[part[:end]] = true
	}
}

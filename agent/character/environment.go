package character

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Environment is what characters see of the process: its variables, and below them the nearest .env file walking up
// from dir, by dotenv 16's rules. A variable that exists is never overridden.
func Environment(dir string, environ []string) (map[string]string, error) {
	env := map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	path := nearest(dir)
	if path == "" {
		return env, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading .env: %w", err)
	}
	for name, value := range dotenv(string(data)) {
		if _, has := env[name]; !has {
			env[name] = value
		}
	}
	return env, nil
}

func nearest(dir string) string {
	for {
		path := filepath.Join(dir, ".env")
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return ""
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// dotenv reads NAME=value lines: comments, "export", quotes of three kinds; \n only inside double quotes; an unquoted
// value ends at " #".
func dotenv(text string) map[string]string {
	env := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(lines.Text()), "export "), "=")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.HasPrefix(name, "#") {
			continue
		}
		env[name] = unquote(strings.TrimSpace(value))
	}
	return env
}

func unquote(value string) string {
	if value != "" && strings.IndexByte("\"'`", value[0]) >= 0 {
		if end := strings.IndexByte(value[1:], value[0]); end >= 0 {
			inner := value[1 : 1+end]
			if value[0] == '"' {
				inner = strings.NewReplacer(`\n`, "\n", `\r`, "\r").Replace(inner)
			}
			return inner
		}
	}
	if i := strings.IndexByte(value, '#'); i >= 0 {
		value = strings.TrimSpace(value[:i])
	}
	return value
}

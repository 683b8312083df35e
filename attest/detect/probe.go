package detect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Sockets are where dstack's guest agents and tappd listen, in the order of the published SDKs.
func sockets() []string {
	return []string{
		"/var/run/dstack.sock", "/run/dstack.sock", "/var/run/dstack/dstack.sock", "/run/dstack/dstack.sock",
		"/var/run/tappd.sock", "/run/tappd.sock",
	}
}

const (
	attestationDir = "/dev/attestation"
	tsmDir         = "/sys/kernel/config/tsm/report"
)

// probe looks for each platform in turn. Something that is there and cannot be used is an error when it is opened: it never
// makes the next one, let alone the simulator, a silent choice.
func probe(env Environment) (candidate, error) {
	var looked []string
	for _, path := range sockets() {
		there, err := exists(env.path(path))
		if err != nil {
			return candidate{}, err
		}
		if there {
			return with(dstackAt(env.path(path), "the socket is there"), looked), nil
		}
	}
	looked = append(looked, "dstack and tappd sockets in /var/run and /run: none")
	for _, p := range []struct {
		path string
		at   func(Environment, string) (candidate, error)
	}{{attestationDir + "/attestation_type", gramineAt}, {tsmDir, tsmAt}} {
		there, err := exists(env.path(p.path))
		if err != nil {
			return candidate{}, err
		}
		if there {
			c, err := p.at(env, p.path+" is there")
			return with(c, looked), err
		}
		looked = append(looked, p.path+": not there"+direct(env, p.path))
	}
	return with(simulator("no hardware platform is here"), looked), nil
}

// direct names gramine-direct, which has /dev/attestation and is no TEE.
func direct(env Environment, path string) string {
	there, err := exists(env.path(attestationDir))
	if err == nil && there && strings.HasPrefix(path, attestationDir) {
		return " (" + attestationDir + " without it is gramine-direct: no TEE)"
	}
	return ""
}

func with(c candidate, looked []string) candidate {
	c.Looked = append(looked, c.Looked...)
	return c
}

// production is TEE_MODE=PRODUCTION: one of the sockets must be there.
func (s *settings) production(env Environment) (candidate, error) {
	why := s.reason("TEE_MODE=PRODUCTION")
	for _, path := range sockets() {
		there, err := exists(env.path(path))
		if err != nil {
			return candidate{}, err
		}
		if there {
			return dstackAt(env.path(path), why), nil
		}
	}
	return candidate{}, fmt.Errorf("%s, and none of %s is there: mount the platform's socket, or unset it for detection", why, strings.Join(sockets(), ", "))
}

func (e Environment) path(p string) string { return filepath.Join("/", e.Root, p) }

// exists is false only when the path is certainly absent.
func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a platform: %w", err)
	}
	return true, nil
}

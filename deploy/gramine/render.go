// Package gramine renders and checks the Gramine manifest of the static teapot binary.
//
// The manifest is part of MRENCLAVE: argv, environment, mounts and every trusted hash are measured. The checks refuse, at signing
// time and again at start, every option with which the host could change the program or read its memory. It trusts nothing the host
// says; whether the manifest checked is the manifest running is for MRENCLAVE to prove.
// Source: Gramine 1.9 manifest syntax.
package gramine

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Paths inside the enclave.
const (
	BinaryPath   = "/app/teapot"
	ManifestPath = "/app/manifest.toml" // the rendered text, a trusted file, for the check at start
	DataPath     = "/data"              // encrypted mount
	EnvelopePath = "/envelope"          // the one host-writable directory: sealed bytes only
	DataKeyName  = "teapot-data"
)

// Options of one enclave. Paths are absolute host paths.
type Options struct {
	Binary      string            // the static, non-PIE teapot binary
	Manifest    string            // where the rendered text will lie, so that the enclave can read and check it
	Data        string            // host directory behind the encrypted mount
	Envelope    string            // host directory of the data key's envelope
	Files       []string          // further trusted files, e.g. the character; mounted at the same path
	Args        []string          // argv[1:]
	Env         map[string]string // constants, measured
	Passthrough []string          // names whose value the host may choose: listed as unmeasured
	EnclaveSize string            // default 4G; Go needs at least 2G of address range
	MaxThreads  int               // default 64
	EDMM        bool
}

// ErrOptions says that the options cannot make a manifest.
var ErrOptions = errors.New("gramine manifest")

// Render writes the manifest as TOML, deterministic for equal options.
func Render(o Options) (string, error) {
	if err := o.validate(); err != nil {
		return "", err
	}
	var b strings.Builder
	o.writeLoader(&b)
	o.writeMounts(&b)
	o.writeSGX(&b)
	return b.String(), nil
}

func (o Options) validate() error {
	for name, path := range map[string]string{"binary": o.Binary, "manifest": o.Manifest, "data": o.Data, "envelope": o.Envelope} {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("%w: the %s path %q is not absolute", ErrOptions, name, path)
		}
	}
	for _, path := range o.Files {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("%w: the file %q is not absolute", ErrOptions, path)
		}
	}
	for _, name := range o.Passthrough {
		if _, constant := o.Env[name]; constant || name == "" {
			return fmt.Errorf("%w: %q cannot be both constant and chosen by the host", ErrOptions, name)
		}
	}
	return nil
}

func (o Options) writeLoader(b *strings.Builder) {
	b.WriteString("# Rendered by `teapot deploy gramine render`; every byte is part of MRENCLAVE.\n")
	fmt.Fprintf(b, "libos.entrypoint = %s\n\n", quote(BinaryPath))
	b.WriteString("loader.log_level = \"error\"\n")
	fmt.Fprintf(b, "loader.argv = %s\n", array(append([]string{"teapot"}, o.Args...)))
	env := map[string]string{"SGX": "1", "TEAPOT_DATA": DataPath, "TEAPOT_PLATFORM": "require-hardware", "GOMAXPROCS": "4", "GOMEMLIMIT": "1200MiB"}
	for name, value := range o.Env {
		env[name] = value
	}
	for _, name := range sortedKeys(env) {
		fmt.Fprintf(b, "loader.env.%s = %s\n", name, quote(env[name]))
	}
	for _, name := range sorted(o.Passthrough) {
		fmt.Fprintf(b, "loader.env.%s = { passthrough = true }\n", name)
	}
}

func (o Options) writeMounts(b *strings.Builder) {
	b.WriteString("\nfs.root.type = \"tmpfs\"\nfs.mounts = [\n")
	mount := func(format string, args ...any) { fmt.Fprintf(b, "  { "+format+" },\n", args...) }
	mount(`path = %s, uri = %s`, quote(BinaryPath), uri(o.Binary))
	mount(`path = %s, uri = %s`, quote(ManifestPath), uri(o.Manifest))
	for _, path := range sorted(o.Files) {
		mount(`path = %s, uri = %s`, quote(path), uri(path))
	}
	mount(`type = "encrypted", path = %s, uri = %s, key_name = %s, enable_recovery = true`, quote(DataPath), uri(o.Data), quote(DataKeyName))
	mount(`path = %s, uri = %s`, quote(EnvelopePath), uri(o.Envelope))
	mount(`type = "tmpfs", path = "/tmp"`)
	b.WriteString("]\n")
}

func (o Options) writeSGX(b *strings.Builder) {
	size, threads := o.EnclaveSize, o.MaxThreads
	if size == "" {
		size = "4G"
	}
	if threads == 0 {
		threads = 64
	}
	b.WriteString("\nsys.stack.size = \"2M\"\nsys.fds.limit = 8192\nsys.enable_sigterm_injection = true\n")
	b.WriteString("sys.enable_extra_runtime_domain_names_conf = true\nsys.disallow_subprocesses = true\n\n")
	fmt.Fprintf(b, "sgx.debug = false\nsgx.remote_attestation = \"dcap\"\nsgx.enclave_size = %s\nsgx.max_threads = %d\n", quote(size), threads)
	fmt.Fprintf(b, "sgx.edmm_enable = %t\nsgx.use_exinfo = true\nsgx.isvprodid = 1\nsgx.isvsvn = 1\n", o.EDMM)
	trusted := append([]string{o.Binary, o.Manifest}, o.Files...)
	b.WriteString("sgx.trusted_files = [\n")
	for _, path := range trusted {
		fmt.Fprintf(b, "  %s,\n", uri(path))
	}
	fmt.Fprintf(b, "]\nsgx.allowed_files = [\n  %s,\n]\n", uri(strings.TrimSuffix(o.Envelope, "/")+"/"))
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// finding is one thing this machine has or lacks.
type finding struct {
	Name   string `json:"name"`
	Has    bool   `json:"has"`
	Detail string `json:"detail"`
	Get    string `json:"get,omitempty"` // how to get it
}

func newDoctorCmd() *cobra.Command {
	var data, addr string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine has and lacks for Teapot, and how to get it",
		Long:  "Looks at the platform, the tools and the data directory. Exit 0 when `teapot run` can work here (a simulation is enough), 1 when something it needs is missing.",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := append(platformFindings(), toolFindings()...)
			needed := []finding{dataFinding(data), addrFinding(addr)}
			findings = append(findings, needed...)
			if err := printFindings(cmd.OutOrStdout(), findings, asJSON); err != nil {
				return err
			}
			for _, f := range needed {
				if !f.Has {
					return &exitError{code: 1}
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultData(), "data directory")
	cmd.Flags().StringVar(&addr, "addr", defaultAddr(), "address the agent would listen on")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func platformFindings() []finding {
	const hardware = "hardware; without it everything is SIMULATED"
	return []finding{
		present("Intel SGX", "/dev/sgx_enclave", "a machine with SGX enabled in the BIOS and Linux 5.11 or newer"),
		present("Intel TDX guest", "/dev/tdx_guest", "a TDX virtual machine (GCP C3, Azure DCesv6, bare metal)"),
		present("quotes by configfs-tsm", "/sys/kernel/config/tsm/report", "Linux 6.7 or newer inside a TDX guest, configfs mounted"),
		present("Gramine's /dev/attestation", "/dev/attestation", hardware),
		present("dstack guest agent", "/var/run/dstack.sock", "a dstack CVM with the socket mounted into this container"),
		present("dstack tappd (0.3)", "/var/run/tappd.sock", "a dstack CVM with the socket mounted into this container"),
		present("AESM (SGX quotes)", "/var/run/aesmd/aesm.socket", "Intel's sgx-aesm-service on the host"),
	}
}

func present(name, path, get string) finding {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return finding{Name: name, Detail: path + " is not there", Get: get}
	case strings.HasSuffix(path, ".sock") && info.IsDir():
		return finding{Name: name, Detail: path + " is a directory: the mount's source does not exist on the host", Get: "start the guest agent before the container"}
	}
	return finding{Name: name, Has: true, Detail: path}
}

func toolFindings() []finding {
	return []finding{
		tool("gramine-sgx", "Gramine's own package repository (Debian has no package)"),
		tool("gramine-direct", "Gramine's own package repository; runs the enclave's program without an enclave"),
		tool("docker", "apt-get install docker.io"),
	}
}

func tool(name, get string) finding {
	path, err := exec.LookPath(name)
	if err != nil {
		return finding{Name: name, Detail: "not installed", Get: get}
	}
	return finding{Name: name, Has: true, Detail: path}
}

// dataFinding says whether the data directory, or the directory it would be made in, can be written and has room.
func dataFinding(dir string) finding {
	f := finding{Name: "data directory"}
	at := dir
	for {
		if _, err := os.Stat(at); err == nil {
			break
		}
		parent := filepath.Dir(at)
		if parent == at {
			break
		}
		at = parent
	}
	probe, err := os.CreateTemp(at, ".teapot-doctor-*")
	if err != nil {
		f.Detail, f.Get = fmt.Sprintf("%s cannot be written: %v", dir, err), "choose another directory with --data"
		return f
	}
	_ = probe.Close() // nothing was written
	_ = os.Remove(probe.Name())
	if bytes, _, ok := space(at); ok {
		free := bytes >> 20
		f.Detail = fmt.Sprintf("%s, %d MiB free", dir, free)
		if free < 256 {
			f.Get = "make room: the log preallocates up to 64 MiB at a time"
			return f
		}
	}
	f.Has = true
	return f
}

func addrFinding(addr string) finding {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return finding{Name: "address", Detail: fmt.Sprintf("%s cannot be used: %v", addr, err), Get: "stop the program that listens there, or choose another with --addr"}
	}
	_ = l.Close() // it was only a question
	return finding{Name: "address", Has: true, Detail: addr + " is free"}
}

func printFindings(w io.Writer, findings []finding, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(findings)
	}
	for _, f := range findings {
		mark := "lacks"
		if f.Has {
			mark = "has  "
		}
		fmt.Fprintf(w, "%s  %-28s %s\n", mark, f.Name, f.Detail)
		if f.Get != "" {
			fmt.Fprintf(w, "       %-28s get it: %s\n", "", f.Get)
		}
	}
	return nil
}

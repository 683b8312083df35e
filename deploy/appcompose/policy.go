package appcompose

import (
	"fmt"
	"strings"
)

// Policy writes the TOML policy with which readers check this app: the hash of its exact bytes is the one reference value that the
// renderer knows; firmware and OS values come from the OS image's publisher, and the file says so.
func (a App) Policy(name string) []byte {
	var b strings.Builder
	b.WriteString("# Made by `teapot deploy render`. Give it to readers over a channel that is not the agent itself.\n")
	b.WriteString("# A person must check: that app-compose.json says what should run, and the image's digest against its source.\n")
	b.WriteString("version = 1\naccept_status = [\"UpToDate\"]\n\n[[code]]\n")
	fmt.Fprintf(&b, "name = %q\n", name)
	fmt.Fprintf(&b, "app_compose_sha256 = [%q]\n", a.HashHex())
	b.WriteString("# The firmware and OS of the guest are not known here. Take them from the publisher of the OS image (teapot measure explains):\n")
	b.WriteString("# os_image_hash = [\"…\"]\n# mrtd = [\"…\"]\n# rtmr0 = [\"…\"]\n# rtmr1 = [\"…\"]\n# rtmr2 = [\"…\"]\n\n")
	b.WriteString("# Who may be able to derive the keys beside this TEE; pin the KMS by its whole custody word (teapot verify prints it).\n")
	b.WriteString("# [custody]\n# accept = [\"kms:…\"]\n")
	return []byte(b.String())
}

package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

func newLogCmd() *cobra.Command {
	return newGroup(&cobra.Command{
		Use:   "log",
		Short: "Read, follow, export and prune an agent's action log",
		Long: `Reads the log of a running agent over HTTP, or with --data that of a stopped simulated agent from its data directory
(elsewhere the keys exist only inside the TEE). What is shown here comes from the server and is not judged: teapot verify
judges. Contents that are not public need --token.`,
		Example: "  teapot log tail -f\n  teapot log list https://agent.example --type action --since 2026-01-01T00:00:00Z\n  teapot log show 42\n  teapot log export -o agent.bundle",
	}, newLogTailCmd(), newLogListCmd(), newLogShowCmd(), newLogExportCmd(), newLogStatsCmd(), newLogEraseCmd(), newLogAuditLegacyCmd())
}

// logFlags say which log, and how to print.
type logFlags struct {
	url, data, agent, token string
	number                  uint64
	json                    bool
}

func (f *logFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "http://"+loopback(os.Getenv("TEAPOT_ADDR")), "address of the running agent; the argument URL says the same")
	flags.StringVar(&f.data, "data", "", "read this data `DIR`ectory of a stopped simulated agent instead")
	flags.StringVar(&f.agent, "agent", "", "agent `UUID` or its name; needed when there are several")
	flags.Uint64Var(&f.number, "log-number", 0, "with --data: `NUMBER` of the log")
	tokenFlag(cmd, &f.token, "bearer `TOKEN`, for contents that are not public")
	flags.BoolVar(&f.json, "json", false, "print JSON")
}

// at takes the address out of the arguments of a command and leaves the indices of entries.
func (f *logFlags) at(cmd *cobra.Command, given []string) (indices []string, err error) {
	for _, text := range given {
		if !strings.ContainsAny(text, ":/") {
			indices = append(indices, text)
			continue
		}
		switch {
		case cmd.Flags().Changed("url"):
			err = errors.New("the address is given twice: as --url and as an argument")
		case f.data != "":
			err = errors.New("an address asks a running agent, --data reads a stopped one: leave one of them out")
		}
		if err != nil {
			return nil, &exitError{code: 64, err: err}
		}
		f.url = text
		if err := cmd.Flags().Set("url", text); err != nil {
			return nil, err
		}
	}
	return indices, nil
}

// openAt opens the log that the flags and the one argument a command may have name.
func (f *logFlags) openAt(cmd *cobra.Command, given []string) (*logSource, error) {
	rest, err := f.at(cmd, given)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, &exitError{code: 64, err: fmt.Errorf("%q is no address", rest[0]), hint: "an address is http://HOST:PORT or https://HOST"}
	}
	return f.open(cmd)
}

// filterFlags select entries; their names are those of the HTTP parameters.
type filterFlags struct {
	types                          []string
	room, user, roomName, userName string
	since, until, text             string
	from, to                       uint64
}

func (f *filterFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.types, "type", nil, "only entries of this `TYPE`; may be repeated")
	flags.StringVar(&f.room, "room", "", "only this `ROOM`, by its real id (needs --token)")
	flags.StringVar(&f.user, "user", "", "only this `USER`, by real id (needs --token)")
	flags.StringVar(&f.roomName, "room-pseudonym", "", "only this room, by the `HEX` that leaves show")
	flags.StringVar(&f.userName, "user-pseudonym", "", "only this user, by the `HEX` that leaves show")
	flags.StringVar(&f.since, "since", "", "only entries from this `TIME` on (RFC 3339, or microseconds since 1970)")
	flags.StringVar(&f.until, "until", "", "only entries before this `TIME`")
	flags.Uint64Var(&f.from, "from", 0, "only entries from this `INDEX` on")
	flags.Uint64Var(&f.to, "to", 0, "only entries before this `INDEX`")
}

func (f *filterFlags) values() url.Values {
	v := url.Values{}
	for name, text := range map[string]string{
		"room": f.room, "user": f.user, "room_pseudonym": f.roomName, "user_pseudonym": f.userName, "since": f.since, "until": f.until, "text": f.text,
	} {
		if text != "" {
			v.Set(name, text)
		}
	}
	for name, n := range map[string]uint64{"from": f.from, "to": f.to} {
		if n > 0 {
			v.Set(name, strconv.FormatUint(n, 10))
		}
	}
	v["type"] = f.types
	return v
}

// entryIndex reads an argument.
func entryIndex(text string) (uint64, error) {
	i, err := strconv.ParseUint(text, 10, 53)
	if err != nil {
		return 0, &exitError{code: 64, err: fmt.Errorf("%q is not the index of an entry", text), hint: "indices are numbers from 0; teapot log list shows them"}
	}
	return i, nil
}

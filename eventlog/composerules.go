package eventlog

import (
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/internal/plainyaml"
)

// harmless are service keys whose every value stays inside the container or the compose network.
func harmless() []string {
	return []string{
		"cap_drop", "command", "container_name", "cpus", "depends_on", "domainname", "entrypoint", "expose", "healthcheck", "hostname", "init",
		"labels", "mem_limit", "pids_limit", "platform", "ports", "read_only", "restart", "shm_size", "stdin_open", "stop_grace_period", "stop_signal",
		"tmpfs", "tty", "ulimits", "user", "working_dir",
	}
}

// privileged are service keys that give a container more than its own, with the only values that do not.
func privileged() map[string][]string {
	return map[string][]string{
		"privileged": {"false"}, "network_mode": {"bridge", "none"}, "security_opt": {"no-new-privileges:true", "no-new-privileges"},
		"cap_add": {}, "devices": {}, "device_cgroup_rules": {}, "gpus": {}, "group_add": {}, "pid": {}, "ipc": {"private", "none"}, "uts": {}, "userns_mode": {},
		"cgroup": {"private"}, "cgroup_parent": {}, "runtime": {}, "sysctls": {}, "volumes_from": {}, "use_api_socket": {"false"},
	}
}

func (r *ComposeReport) serviceKey(where, key string, n *plainyaml.Node) {
	if allowed, ok := privileged()[key]; ok {
		for _, value := range scalars(n) {
			if !slices.Contains(allowed, value) {
				r.find(RulePrivileges, where, "%.60q gives the container more than its own", value)
			}
		}
		if n.Kind == plainyaml.Mapping && len(n.Content) > 0 {
			r.find(RulePrivileges, where, "gives the container more than its own")
		}
		return
	}
	switch {
	case key == "networks":
		if n.Kind != plainyaml.Sequence {
			r.find(RuleKeys, where, "only a list of network names is known: aliases could take another service's name")
		}
	case !slices.Contains(harmless(), key):
		r.find(RuleKeys, where, "unknown key of a service")
	}
}

// scalars of a scalar or a list; null is none.
func scalars(n *plainyaml.Node) []string {
	switch {
	case n.Null:
		return nil
	case n.Kind == plainyaml.Scalar:
		return []string{n.Value}
	case n.Kind == plainyaml.Sequence:
		var out []string
		for _, c := range n.Content {
			if c.Kind != plainyaml.Scalar {
				out = append(out, "a map")
				continue
			}
			out = append(out, c.Value)
		}
		return out
	}
	return nil
}

// environment may be filled in at start; what is, nobody measured.
func (r *ComposeReport) environment(service string, n *plainyaml.Node) {
	note := func(name string) {
		r.Unmeasured = append(r.Unmeasured, "environment variable "+name+" of service "+service+" (its value comes from outside the compose file)")
	}
	for name, value := range pairs(n) {
		if value.Kind != plainyaml.Scalar {
			r.find(RuleReadable, "services."+service+".environment."+name, "is not a plain value")
		}
		if value.Null || interpolated(value.Value) {
			note(name)
		}
	}
	if n.Kind != plainyaml.Sequence {
		return
	}
	for _, item := range scalars(n) {
		if name, value, ok := strings.Cut(item, "="); !ok || interpolated(value) || interpolated(name) {
			note(name)
		}
	}
}

// mounts reads the volumes of a service, short and long form.
func (r *ComposeReport) mounts(where string, n *plainyaml.Node) []mount {
	if n.Kind != plainyaml.Sequence {
		if !empty(n) {
			r.find(RuleVolumes, where, "is not a list")
		}
		return nil
	}
	var out []mount
	for _, item := range n.Content {
		if item.Kind == plainyaml.Scalar {
			out = append(out, r.shortMount(where, item.Value)...)
			continue
		}
		out = append(out, r.longMount(where, item)...)
	}
	return out
}

// shortMount is SOURCE:TARGET[:ro|rw], or only a target for a fresh anonymous volume.
func (r *ComposeReport) shortMount(where, text string) []mount {
	parts := strings.Split(text, ":")
	if len(parts) == 1 && strings.HasPrefix(text, "/") {
		return nil
	}
	if len(parts) != 2 && (len(parts) != 3 || parts[2] != "ro" && parts[2] != "rw") {
		r.find(RuleVolumes, where, "%.80q is not SOURCE:TARGET or SOURCE:TARGET:ro", text)
		return nil
	}
	return []mount{{where: where, source: parts[0], target: parts[1], bind: !volumeName(parts[0])}}
}

func (r *ComposeReport) longMount(where string, n *plainyaml.Node) []mount {
	m, kind := mount{where: where}, ""
	for key, value := range pairs(n) {
		switch key {
		case "type":
			kind = value.Value
		case "source":
			m.source = value.Value
		case "target":
			m.target = value.Value
		case "read_only":
		default:
			r.find(RuleVolumes, where, "unknown key %.40q of a volume", key)
		}
	}
	switch kind {
	case "tmpfs":
		return nil
	case "volume":
		if m.source == "" {
			return nil
		}
		return []mount{m}
	case "bind":
		m.bind = true
		return []mount{m}
	}
	r.find(RuleVolumes, where, "unknown type %.40q of a volume", kind)
	return nil
}

// judgeMounts: binds only of platform sockets and only into one service, which is then Teapot; other services have named
// volumes, and share with Teapot only the one that it mounts at GuestDir.
func (r *ComposeReport) judgeMounts(mounts map[string][]mount, declared []string) {
	for _, s := range r.Services {
		for _, m := range mounts[s.Name] {
			r.judgeMount(s.Name, m, declared)
		}
	}
	if r.Teapot == "" {
		return
	}
	private := map[string]bool{}
	for _, m := range mounts[r.Teapot] {
		if !m.bind && strings.TrimRight(m.target, "/") != GuestDir {
			private[m.source] = true
		}
	}
	for _, s := range r.Services {
		for _, m := range mounts[s.Name] {
			if s.Name != r.Teapot && !m.bind && private[m.source] {
				r.find(RuleVolumes, m.where, "volume %s is Teapot's own: another container could change what Teapot reads", m.source)
			}
		}
	}
}

func (r *ComposeReport) judgeMount(service string, m mount, declared []string) {
	switch {
	case !m.bind && (!volumeName(m.source) || !slices.Contains(declared, m.source)):
		r.find(RuleVolumes, m.where, "volume %.60q is not declared under volumes", m.source)
	case !m.bind:
	case !slices.Contains(platformSockets(), strings.TrimRight(m.source, "/")):
		r.find(RuleVolumes, m.where, "%.80q is mounted from the guest", m.source)
	case r.Teapot == "" || r.Teapot == service:
		r.Teapot = service
	default:
		r.find(RuleVolumes, m.where, "%s and %s both reach the platform's own sockets: each could speak as the other", r.Teapot, service)
	}
}

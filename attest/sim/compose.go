package sim

// DefaultAppCompose is the identity of a simulator that was given none: the shape of a real deployment, with an image digest
// of zeros because nothing was pulled. A function, so that no caller can change it for others.
func DefaultAppCompose() []byte {
	return []byte(`{"allowed_envs":[],"docker_compose_file":"services:\n  teapot:\n    image: teapot.invalid/simulated@sha256:0000000000000000000000000000000000000000000000000000000000000000\n    volumes:\n      - /var/run/dstack.sock:/var/run/dstack.sock\n","gateway_enabled":false,"kms_enabled":false,"manifest_version":2,"name":"teapot-simulated","no_instance_id":false,"public_logs":false,"public_sysinfo":false,"public_tcbinfo":true,"runner":"docker-compose"}`)
}

// Package deploy holds what ships Teapot: Dockerfile, compose, Kubernetes, systemd and Gramine files, and tests that run what the
// deployment pages say. The code that renders and uploads is in its subpackages. It trusts nothing; the files are read by others.
package deploy

package main

import "os"

// defaultAddr is where an agent listens unless told otherwise: TEAPOT_ADDR, Eliza's SERVER_PORT on loopback, or 127.0.0.1:3000.
func defaultAddr() string {
	if addr := os.Getenv("TEAPOT_ADDR"); addr != "" {
		return addr
	}
	if port := os.Getenv("SERVER_PORT"); port != "" {
		return "127.0.0.1:" + port
	}
	return "127.0.0.1:3000"
}

// defaultData is the data directory unless told otherwise: TEAPOT_DATA, or teapot-data where the command runs.
func defaultData() string {
	if dir := os.Getenv("TEAPOT_DATA"); dir != "" {
		return dir
	}
	return "teapot-data"
}

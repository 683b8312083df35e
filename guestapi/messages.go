package guestapi

// Messages of the protocol. JSON names equal the proto names; `pb` is the protobuf field number.
// Sources: tappd_rpc.proto (v0.3.4), agent_rpc.proto (v0.5.11), agent_rpc_v1.proto (0.6.0).

type empty struct{}

type deriveKeyRequest struct {
	Path            string   `json:"path" pb:"1"`
	Subject         string   `json:"subject" pb:"2"`
	AltNames        []string `json:"alt_names" pb:"3"`
	UsageRATLS      bool     `json:"usage_ra_tls" pb:"4"`
	UsageServerAuth bool     `json:"usage_server_auth" pb:"5"`
	UsageClientAuth bool     `json:"usage_client_auth" pb:"6"`
	RandomSeed      bool     `json:"random_seed" pb:"7"`
}

// tlsKeyRequest is GetTlsKeyArgs and v1's IssueCertRequest, which have the same fields.
type tlsKeyRequest struct {
	Subject         string   `json:"subject" pb:"1"`
	AltNames        []string `json:"alt_names" pb:"2"`
	UsageRATLS      bool     `json:"usage_ra_tls" pb:"3"`
	UsageServerAuth bool     `json:"usage_server_auth" pb:"4"`
	UsageClientAuth bool     `json:"usage_client_auth" pb:"5"`
	NotBefore       *uint64  `json:"not_before" pb:"6"`
	NotAfter        *uint64  `json:"not_after" pb:"7"`
	WithAppInfo     bool     `json:"with_app_info" pb:"8"`
}

type tlsKeyReply struct {
	Key              string   `json:"key" pb:"1"`
	CertificateChain []string `json:"certificate_chain" pb:"2"`
}

type getKeyRequest struct {
	Path      string `json:"path" pb:"1"`
	Purpose   string `json:"purpose" pb:"2"`
	Algorithm string `json:"algorithm" pb:"3"`
}

type getKeyReply struct {
	Key            Hex   `json:"key" pb:"1"`
	SignatureChain []Hex `json:"signature_chain" pb:"2"`
}

type k256KeyReply struct {
	Key            Hex   `json:"k256_key" pb:"1"`
	SignatureChain []Hex `json:"k256_signature_chain" pb:"2"`
}

type getKeyV1Request struct {
	Domain    string `json:"domain" pb:"1"`
	Algorithm string `json:"algorithm" pb:"2"`
}

type getKeyV1Reply struct {
	Key            Hex   `json:"key" pb:"1"`
	PublicKey      Hex   `json:"public_key" pb:"2"`
	SignatureChain []Hex `json:"signature_chain" pb:"3"`
}

type tdxQuoteRequest struct {
	ReportData    Hex    `json:"report_data" pb:"1"`
	HashAlgorithm string `json:"hash_algorithm" pb:"2"`
	Prefix        string `json:"prefix" pb:"3"`
}

// reportDataRequest is RawQuoteArgs: RawQuote, GetQuote and Attest take it.
type reportDataRequest struct {
	ReportData Hex `json:"report_data" pb:"1"`
}

type tdxQuoteReply struct {
	Quote         Hex    `json:"quote" pb:"1"`
	EventLog      string `json:"event_log" pb:"2"`
	HashAlgorithm string `json:"hash_algorithm" pb:"3"`
	Prefix        string `json:"prefix" pb:"4"`
}

type getQuoteReply struct {
	Quote      Hex    `json:"quote" pb:"1"`
	EventLog   string `json:"event_log" pb:"2"`
	ReportData Hex    `json:"report_data" pb:"3"`
	VMConfig   string `json:"vm_config" pb:"4"`
}

type attestReply struct {
	Attestation Hex `json:"attestation" pb:"1"`
}

type gpuEvidence struct {
	Vendor   string `json:"vendor" pb:"1"`
	Format   string `json:"format" pb:"2"`
	Evidence Hex    `json:"evidence" pb:"3"`
}

type attestV1Request struct {
	ReportData  Hex  `json:"report_data" pb:"1"`
	BoottimeGPU bool `json:"include_boottime_gpu_evidence" pb:"2"`
}

type attestV1Reply struct {
	Attestation Hex           `json:"attestation" pb:"1"`
	BoottimeGPU []gpuEvidence `json:"boottime_gpu_evidence" pb:"2"`
}

type attestGPURequest struct {
	Nonce Hex `json:"nonce" pb:"1"`
}

type emitEventRequest struct {
	Event   string `json:"event" pb:"1"`
	Payload Hex    `json:"payload" pb:"2"`
}

type signRequest struct {
	Algorithm string `json:"algorithm" pb:"1"`
	Data      Hex    `json:"data" pb:"2"`
}

type signReply struct {
	Signature      Hex   `json:"signature" pb:"1"`
	SignatureChain []Hex `json:"signature_chain" pb:"2"`
	PublicKey      Hex   `json:"public_key" pb:"3"`
}

type verifyRequest struct {
	Algorithm string `json:"algorithm" pb:"1"`
	Data      Hex    `json:"data" pb:"2"`
	Signature Hex    `json:"signature" pb:"3"`
	PublicKey Hex    `json:"public_key" pb:"4"`
}

type verifyReply struct {
	Valid bool `json:"valid" pb:"1"`
}

type versionReply struct {
	Version string `json:"version" pb:"1"`
	Rev     string `json:"rev" pb:"2"`
}

type algorithmRequest struct {
	Algorithm string `json:"algorithm" pb:"1"`
}

type healthReply struct {
	Healthy   bool              `json:"healthy" pb:"1"`
	Unhealthy []containerHealth `json:"unhealthy" pb:"2"`
	Error     string            `json:"error" pb:"3"`
}

type containerHealth struct {
	Name   string `json:"name" pb:"1"`
	Status string `json:"status" pb:"2"`
}

// appInfo is AppInfo (v0, Tappd, Worker). Simulated is Teapot's own addition, in JSON only.
type appInfo struct {
	AppID           Hex    `json:"app_id" pb:"1"`
	InstanceID      Hex    `json:"instance_id" pb:"2"`
	AppCert         string `json:"app_cert" pb:"3"`
	TCBInfo         string `json:"tcb_info" pb:"4"`
	AppName         string `json:"app_name" pb:"5"`
	DeviceID        Hex    `json:"device_id" pb:"8"`
	MRAggregated    Hex    `json:"mr_aggregated" pb:"9"`
	OSImageHash     Hex    `json:"os_image_hash" pb:"10"`
	KeyProviderInfo string `json:"key_provider_info" pb:"12"`
	ComposeHash     Hex    `json:"compose_hash" pb:"13"`
	VMConfig        string `json:"vm_config" pb:"14"`
	CloudVendor     string `json:"cloud_vendor" pb:"15"`
	CloudProduct    string `json:"cloud_product" pb:"16"`
	Simulated       bool   `json:"simulated,omitempty"`
}

// appInfoV1 is InfoResponse of dstack.guest.v1.
type appInfoV1 struct {
	AppID           Hex    `json:"app_id" pb:"1"`
	AppName         string `json:"app_name" pb:"2"`
	ComposeHash     Hex    `json:"compose_hash" pb:"3"`
	AppCompose      string `json:"app_compose" pb:"4"`
	InstanceID      Hex    `json:"instance_id" pb:"5"`
	DeviceID        Hex    `json:"device_id" pb:"6"`
	OSImageHash     Hex    `json:"os_image_hash" pb:"7"`
	MRAggregated    Hex    `json:"mr_aggregated" pb:"8"`
	VMConfig        string `json:"vm_config" pb:"9"`
	KeyProviderInfo string `json:"key_provider_info" pb:"10"`
	CloudVendor     string `json:"cloud_vendor" pb:"11"`
	CloudProduct    string `json:"cloud_product" pb:"12"`
	Simulated       bool   `json:"simulated,omitempty"`
}

// tcbInfo is the JSON text inside AppInfo.tcb_info.
type tcbInfo struct {
	MRTD         string `json:"mrtd"`
	RTMR0        string `json:"rtmr0"`
	RTMR1        string `json:"rtmr1"`
	RTMR2        string `json:"rtmr2"`
	RTMR3        string `json:"rtmr3"`
	MRAggregated string `json:"mr_aggregated"`
	OSImageHash  string `json:"os_image_hash"`
	ComposeHash  string `json:"compose_hash"`
	DeviceID     string `json:"device_id"`
	EventLog     any    `json:"event_log"`
	AppCompose   string `json:"app_compose"`
}

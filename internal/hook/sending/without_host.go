package sending

// WithoutHost returns the words of a failure for readers who may not know where the message was sent: the people of a
// workflow see how its tasks fare, and only those who manage workflows see the URLs of tasks.
func WithoutHost(fault Fault, words string) string {
	if short, ok := withoutHost[fault]; ok {
		return short
	}
	return words
}

// withoutHost has the faults whose words name a host, a port or an address.
var withoutHost = map[Fault]string{
	Timeout:    "The receiver did not answer in time",
	DNS:        "The name of the receiver cannot be looked up",
	Refused:    "Hooks may not reach the address of the receiver",
	Connect:    "The receiver cannot be reached",
	TLS:        "The TLS connection to the receiver failed",
	Reset:      "The connection to the receiver ended before a complete answer",
	Protocol:   "The answer of the receiver is not valid HTTP",
	Unsendable: "The message cannot be sent",
}

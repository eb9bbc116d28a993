package ticket

import (
	"time"

	"itemcast/internal/problem"
)

// Reread returns a ticket that Parse has accepted at a time, by the terms that its profile has now. It checks no
// signature. Error: TICKET_INVALID when the terms do not allow the ticket any more.
func Reread(info string, accepted time.Time, terms Terms) (Ticket, error) {
	claims, err := encoding.DecodeString(info)
	if err != nil {
		return Ticket{}, problem.New(problem.TicketInvalid, "%s is not base64url.", InfoName)
	}
	fields, err := readFields(claims)
	if err != nil {
		return Ticket{}, err
	}
	return fields.ticket(terms, accepted)
}

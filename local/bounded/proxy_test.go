package bounded

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// proxy stands between the functions and PostgreSQL. It passes on whole frontend messages and notes them, and it can make
// sessions go silent, as a network does that forgets a connection.
type proxy struct {
	listener net.Listener
	target   string

	mu sync.Mutex
	// arriving, if set, is called before a session's startup message is passed on.
	arriving func(application string)
	sessions []*session
	closed   bool
	group    sync.WaitGroup
}

// newProxy starts a proxy before the server at address, and returns the address that leads through it.
func newProxy(t *testing.T, address string) (*proxy, string) {
	t.Helper()
	through, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: through.Host}
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	through.Host = p.listener.Addr().String()
	p.group.Go(p.accept)
	t.Cleanup(p.close)
	return p, through.String()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		s := &session{client: client, server: server, kinds: map[byte]int{}}
		p.mu.Lock()
		p.sessions = append(p.sessions, s)
		if p.closed {
			s.close()
		}
		p.mu.Unlock()
		p.group.Go(func() { s.upstream(p.arrive) })
		p.group.Go(s.downstream)
	}
}

func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	_ = p.listener.Close()
	for _, s := range p.sessions {
		s.close()
	}
	p.mu.Unlock()
	p.group.Wait()
}

// onArrival makes f hear of each session before PostgreSQL does.
func (p *proxy) onArrival(f func(application string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arriving = f
}

func (p *proxy) arrive(application string) {
	p.mu.Lock()
	f := p.arriving
	p.mu.Unlock()
	if f != nil {
		f(application)
	}
}

// of are the sessions so far of one application, the ended ones among them.
func (p *proxy) of(application string) (found []*session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.sessions {
		s.mu.Lock()
		if s.parameters["application_name"] == application {
			found = append(found, s)
		}
		s.mu.Unlock()
	}
	return found
}

// goSilent swallows from now on whatever either side sends in the sessions of the applications, also that it closes: no FIN
// and no RST reaches the other side. Later sessions are not concerned.
func (p *proxy) goSilent(applications ...string) {
	for _, application := range applications {
		for _, s := range p.of(application) {
			s.silent.Store(true)
		}
	}
}

// session is one connection through the proxy.
type session struct {
	client, server net.Conn
	silent         atomic.Bool

	mu         sync.Mutex
	parameters map[string]string
	// kinds counts the frontend messages by their type byte.
	kinds map[byte]int
	// statements are the texts of the Query messages.
	statements []string
}

// These stand in the place of a protocol version in the first message.
// https://www.postgresql.org/docs/current/protocol-message-formats.html
const (
	cancelRequest = 80877102
	sslRequest    = 80877103
	gssRequest    = 80877104
)

// upstream passes on what the client sends. arrive is called once, before the session starts.
func (s *session) upstream(arrive func(application string)) {
	defer s.hangUp()
	for started := false; !started; {
		size := make([]byte, 4)
		if _, err := io.ReadFull(s.client, size); err != nil {
			return
		}
		body, err := s.body(size)
		if err != nil {
			return
		}
		switch code := binary.BigEndian.Uint32(body); code {
		case sslRequest, gssRequest:
		case cancelRequest:
			_, _ = s.server.Write(append(size, body...))
			return
		default:
			started = true
			if err := s.noteStartup(body); err != nil {
				return
			}
			arrive(s.parameters["application_name"])
		}
		if _, err := s.server.Write(append(size, body...)); err != nil {
			return
		}
	}
	for {
		header := make([]byte, 5)
		if _, err := io.ReadFull(s.client, header); err != nil {
			return
		}
		body, err := s.body(header[1:])
		if err != nil {
			return
		}
		s.note(header[0], body)
		if s.silent.Load() {
			continue
		}
		if _, err := s.server.Write(append(header, body...)); err != nil {
			return
		}
	}
}

// body reads the rest of a message whose size, which counts itself, has been read.
func (s *session) body(size []byte) ([]byte, error) {
	n := binary.BigEndian.Uint32(size)
	if n < 4 || n > 64<<20 {
		return nil, fmt.Errorf("a message of %d bytes", n)
	}
	body := make([]byte, n-4)
	_, err := io.ReadFull(s.client, body)
	return body, err
}

// downstream passes on what the server sends.
func (s *session) downstream() {
	defer s.hangUp()
	buffer := make([]byte, 32<<10)
	for {
		n, err := s.server.Read(buffer)
		if n > 0 && !s.silent.Load() {
			if _, err := s.client.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// hangUp lets either side know that the other one has gone, unless the session is silent.
func (s *session) hangUp() {
	if !s.silent.Load() {
		s.close()
	}
}

func (s *session) close() {
	_ = s.client.Close()
	_ = s.server.Close()
}

func (s *session) noteStartup(body []byte) error {
	var message pgproto3.StartupMessage
	if err := message.Decode(body); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parameters = message.Parameters
	return nil
}

func (s *session) note(kind byte, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kinds[kind]++
	var query pgproto3.Query
	if kind == 'Q' && query.Decode(body) == nil {
		s.statements = append(s.statements, query.String)
	}
}

// terminated tells whether the client has said good-bye.
func (s *session) terminated() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kinds['X'] > 0
}

package database_test

import (
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"fanmail/shared/database"
)

// fakeServer announces a version of PostgreSQL, asks for a clear-text password, accepts any, and answers nothing but pings.
func fakeServer(t *testing.T, version string, passwords chan<- string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn, version, passwords)
		}
	}()
	return listener.Addr().String()
}

func serve(conn net.Conn, version string, passwords chan<- string) {
	defer conn.Close()
	backend := pgproto3.NewBackend(conn, conn)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationCleartextPassword{})
	if backend.Flush() != nil {
		return
	}
	_ = backend.SetAuthType(pgproto3.AuthTypeCleartextPassword)
	message, err := backend.Receive()
	password, ok := message.(*pgproto3.PasswordMessage)
	if err != nil || !ok {
		return
	}
	select {
	case passwords <- password.Password:
	default:
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	backend.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: version})
	backend.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	backend.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for backend.Flush() == nil {
		if _, err := backend.Receive(); err != nil {
			return
		}
		backend.Send(&pgproto3.EmptyQueryResponse{})
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	}
}

func TestAServerThatIsTooOldIsRefusedAtEachConnect(t *testing.T) {
	for version, want := range map[string]string{
		"13.14": "is version 13.14, too old: upgrade it to 14 or later", "9.6.24": "9.6.24", "14.0": "", "17.2 (Debian 17.2-1.pgdg120+1)": "", "18beta1": "", "": "",
	} {
		handle := database.New("postgres://u:p@"+fakeServer(t, version, nil)+"/x?sslmode=disable", "fanmail-test")
		for range 2 {
			db, err := handle.DB()
			if err != nil {
				t.Fatal(err)
			}
			switch err := database.Explain(db.PingContext(t.Context())); {
			case want != "":
				wantFailed(t, err, want)
			case err != nil:
				t.Errorf("%s: %v", version, err)
			}
		}
		_ = handle.Close()
	}
}

// Package nodetest starts whole nodes for tests, and the command as a process.
//
// [Start] runs a node in the test's process, on a database of its own, wired as the server wires it. Its [Client] calls
// it as one user and holds every REST response against the contract. [Serve] adds the server's shutdown. [StartServer]
// runs the server as a process, which a test may kill; a package that uses processes calls [Main] from TestMain.
//
// Everything that waits does so for an event, or polls a condition, and fails the test after [Timeout].
//
// Packages of nouns (item, hook, live, …) must not import it: a change in an edge would rerun their tests.
package nodetest

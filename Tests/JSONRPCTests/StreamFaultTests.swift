import CLibrary
import Platform
import Testing

@testable import JSONRPC

struct StreamFaultTests {
    /// A closed terminal once ended the program with an error about lost replies.
    @Test func aClosedTerminalIsAHangUp() throws {
        var (host, terminal): (Int32, Int32) = (-1, -1)
        try #require(openpty(&host, &terminal, nil, nil, nil) == 0)
        defer { close(terminal) }
        close(host)
        try #require(write(terminal, "x", 1) == -1 && errno == EIO)
        #expect(StreamFault(call: "write", on: FileDescriptor(rawValue: terminal), .inputOutput).isHangUp)
    }

    /// The first page of a process's memory is never mapped, so reading it fails with EIO, as with a broken disk.
    @Test func aReadErrorIsNotAHangUp() throws {
        let memory = open("/proc/self/mem", O_RDONLY)
        try #require(memory >= 0)
        defer { close(memory) }
        var byte: UInt8 = 0
        try #require(read(memory, &byte, 1) == -1 && errno == EIO)
        let fault = StreamFault(call: "read", on: FileDescriptor(rawValue: memory), .inputOutput)
        #expect(!fault.isHangUp && fault.description == "read: Input/output error")
    }
}

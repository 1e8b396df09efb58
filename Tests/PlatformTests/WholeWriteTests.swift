import CLibrary
import Testing
import Platform

struct WholeWriteTests {
    private let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }

    /// Writes through a pipe that holds less, and reads a piece whenever the pipe is full.
    @Test(arguments: [1_000, 4_096, .max]) func writesAllThroughANonblockingPipe(pieceBytesMax: Int) throws {
        let pipe = try Pipe(blocks: false)
        var (received, written): ([UInt8], Int) = ([], 0)
        func drain() {
            var piece = [UInt8](repeating: 0, count: 10_000)
            while case let count = read(pipe.reader.rawValue, &piece, piece.count), count > 0 {
                received += piece[..<count]
            }
        }
        let error = bytes.withUnsafeBytes { bytes in
            WholeWrite.run(
                bytes,
                to: pipe.writer,
                pieceBytesMax: pieceBytesMax,
                whenBlocked: {
                    drain()
                    return true
                },
                progress: { written += $0 }
            )
        }
        drain()
        #expect(error == nil)
        #expect(written == bytes.count)
        #expect(received == bytes)
    }

    @Test func stopsAtAFullPipeByDefault() throws {
        let pipe = try Pipe(blocks: false)
        #expect(bytes.withUnsafeBytes { WholeWrite.run($0, to: pipe.writer) } == .wouldBlock)
    }

    @Test func returnsTheError() throws {
        #expect(
            bytes.withUnsafeBytes { WholeWrite.run($0, to: FileDescriptor(rawValue: -1)) } == SystemError(number: EBADF)
        )
        #expect(
            [UInt8]().withUnsafeBytes { WholeWrite.run($0, to: FileDescriptor(rawValue: -1)) } == nil,
            "an empty write needs no system call"
        )
    }

    /// The default action of SIGPIPE would end the tests.
    @Test func canCauseNoSIGPIPE() throws {
        let pipe = try Pipe()
        defer { pipe.writer.close() }
        let bytes = Array("abc".utf8)
        var written = 0
        let write = {
            bytes.withUnsafeBytes { WholeWrite.runWithoutSIGPIPE($0, to: pipe.writer, progress: { written += $0 }) }
        }
        #expect(write() == nil && written == 3)
        pipe.reader.close()
        var (signals, before, pending) = (sigset_t(), sigset_t(), sigset_t())
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        #expect(write() == .brokenPipe && written == 3)
        #expect(sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 0)
    }
}

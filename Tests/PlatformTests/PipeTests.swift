import Glibc
import Synchronization
import Testing

@testable import Platform

struct PipeTests {
    @Test func carriesBytesToItsEnd() throws {
        let pipe = try #require(Pipe())
        var bytes: [UInt8] = [1, 2, 3, 0]
        #expect(write(pipe.writer, bytes, 3) == 3)
        close(pipe.writer)
        #expect(read(pipe.reader, &bytes, 4) == 3 && read(pipe.reader, &bytes, 4) == 0)
        close(pipe.reader)
    }

    @Test func isNotInheritedByChildren() throws {
        for blocks in [true, false] {
            let pipe = try #require(Pipe(blocks: blocks))
            for end in [pipe.reader, pipe.writer] {
                #expect(fcntl(end, F_GETFD) == FD_CLOEXEC)
                #expect((fcntl(end, F_GETFL) & O_NONBLOCK == 0) == blocks)
                close(end)
            }
        }
    }

    /// A child that was started between the creation of a pipe and the setting of its close-on-exec flag once
    /// inherited the pipe and kept it open.
    @Test func isNotInheritedByAChildStartedConcurrently() throws {
        let hasEnded = Atomic(false)
        let children = Mutex<[pid_t]>([])
        #expect(
            Thread.start {
                for _ in 0..<100 {
                    if let child = Self.startSleep() { children.withLock { $0.append(child) } }
                }
                hasEnded.store(true, ordering: .releasing)
            }
        )
        var keptCount = 0
        while !hasEnded.load(ordering: .acquiring) {
            let pipe = try #require(Pipe(blocks: false))
            close(pipe.writer)
            if !Self.ends(pipe.reader) { keptCount += 1 }
            close(pipe.reader)
        }
        #expect(keptCount == 0)
        for child in children.withLock({ $0 }) {
            kill(child, SIGKILL)
            waitpid(child, nil, 0)
        }
    }

    /// Whether the other end of a pipe is closed in every process. A child may have it open until its exec.
    private static func ends(_ reader: Int32) -> Bool {
        var byte: UInt8 = 0
        for _ in 0..<1_000 {
            if read(reader, &byte, 1) == 0 { return true }
            usleep(1_000)
        }
        return false
    }

    private static func startSleep() -> pid_t? {
        var arguments = [strdup("sleep"), strdup("30"), nil]
        defer { for argument in arguments { free(argument) } }
        var child = pid_t()
        return posix_spawnp(&child, "sleep", nil, nil, &arguments, environ) == 0 ? child : nil
    }
}

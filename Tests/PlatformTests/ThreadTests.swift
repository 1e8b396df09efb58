import CLibrary
import Synchronization
import Testing

@testable import Platform

struct ThreadTests {
    @Test func runsABodyOnAnotherThread() {
        let caller = pthread_self()
        let isOther = Mutex<Bool?>(nil)
        #expect(Thread.start { isOther.withLock { $0 = pthread_equal(caller, pthread_self()) == 0 } })
        while isOther.withLock({ $0 }) == nil { usleep(1_000) }
        #expect(isOther.withLock { $0 } == true)
    }

    /// The machine's processors were once counted, even if the process could use only some of them.
    @Test func countsTheProcessorsAvailableToTheProcess() throws {
        // Swift's module of the C library does not declare this function either.
        typealias SetAffinity = @convention(c) (pid_t, Int, UnsafeRawPointer) -> Int32
        let symbol = try #require(dlsym(nil, "sched_setaffinity"))
        let counts = Mutex<[Int]>([])
        let setAffinity = unsafeBitCast(symbol, to: SetAffinity.self)
        #expect(
            Thread.start {
                let before = Thread.processorCount
                // Affinity is set per thread; the first available processor will do.
                for processor in 0..<1_024 {
                    var mask = [UInt64](repeating: 0, count: 16)
                    mask[processor / 64] = 1 << (processor % 64)
                    if setAffinity(0, 128, mask) == 0 { break }
                }
                counts.withLock { $0 = [before, Thread.processorCount] }
            }
        )
        while counts.withLock({ $0.isEmpty }) { usleep(1_000) }
        #expect(counts.withLock { $0[0] } >= 1 && counts.withLock { $0[1] } == 1)
    }

    @Test func blocksAllSignalsInOneThread() throws {
        let masks = Mutex<[Bool]>([])
        let isDone = Latch()
        #expect(
            Thread.start {
                // A thread inherits the blocked signals of the thread that starts it.
                Signal.unblock([.terminate, Signal(number: SIGUSR1)])
                for _ in 0..<2 {
                    var mask = sigset_t()
                    pthread_sigmask(SIG_BLOCK, nil, &mask)
                    masks.withLock { $0.append(sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGUSR1) == 1) }
                    Signal.blockAll()
                }
                isDone.open()
            }
        )
        #expect(isDone.wait(milliseconds: 60_000))
        #expect(masks.withLock { $0 } == [false, true])
    }
}

struct LatchTests {
    @Test func wakesAllThreadsAndStaysOpen() {
        let (latch, all) = (Latch(), Latch())
        let count = Mutex(0)
        for _ in 0..<4 {
            let isStarted = Thread.start {
                let isOpen = latch.wait(milliseconds: 60_000)
                let isLast = count.withLock { count in
                    if isOpen { count += 1 }
                    return count == 4
                }
                if isLast { all.open() }
            }
            #expect(isStarted)
        }
        #expect(!latch.wait(milliseconds: 10))
        for _ in 0..<3 { latch.open() }
        #expect(all.wait(milliseconds: 60_000))
        #expect(latch.wait(milliseconds: 0))
    }

    @Test func waitsUntilTheTimeout() {
        let start = MonotonicClock.milliseconds
        #expect(!Latch().wait(milliseconds: 50))
        #expect(MonotonicClock.milliseconds - start >= 50)
    }
}

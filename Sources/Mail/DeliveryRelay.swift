package import JSONRPC
internal import Platform
internal import Synchronization

/// Deliveries that belong to the loop, for a courier on another thread.
package final class DeliveryRelay: Sendable {
    private let started = Collector<DueMail>()
    private let outcomes = Collector<DeliveryOutcome>()
    private let isOpen = Atomic(false)
    private let wakeCourier: @Sendable () -> Void
    private let wakeLoop: @Sendable () -> Void

    package init(wakeCourier: @escaping @Sendable () -> Void, wakeLoop: @escaping @Sendable () -> Void) {
        (self.wakeCourier, self.wakeLoop) = (wakeCourier, wakeLoop)
    }

    /// The loop's side: starts the deliveries that the courier has asked for, and passes their outcomes on.
    ///
    /// - Parameter deliveries: the loop's deliveries.
    package func task(over deliveries: any Deliveries) -> LoopTask {
        {
            for due in self.started.takeAll() { deliveries.start(due) }
            let ended = deliveries.takeOutcomes()
            for outcome in ended { self.outcomes.add(outcome) }
            let hasChanged = self.isOpen.exchange(deliveries.isOpen, ordering: .relaxed) != deliveries.isOpen
            if hasChanged || !ended.isEmpty { self.wakeCourier() }
            return nil
        }
    }

    /// The courier's side.
    package var deliveries: any Deliveries { CouriersSide(relay: self) }

    private struct CouriersSide: Deliveries {
        let relay: DeliveryRelay

        var isOpen: Bool { relay.isOpen.load(ordering: .relaxed) }

        func start(_ due: DueMail) {
            relay.started.add(due)
            relay.wakeLoop()
        }

        func takeOutcomes() -> [DeliveryOutcome] { relay.outcomes.takeAll() }

        /// Nothing is left to cancel: the loop has ended, and its deliveries with it.
        func cancel() {}
    }
}

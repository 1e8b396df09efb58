import Testing

@testable import JSONRPC

private func call(_ method: String, _ params: String, id: Int) -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"# + "\n"
}

/// The order of effects and replies when some requests do slow work.
struct ReplyOrderTests {
    @Test func repliesInOrder() {
        let exchange = Exchange()
        let lines = exchange.lines(
            for: call("slow", #"{"value":4}"#, id: 1) + call("write", #"{"value":1}"#, id: 2)
                + call("slow", #"{"value":5}"#, id: 3)
        )
        #expect(
            lines == [
                #"{"jsonrpc":"2.0","id":1,"result":8}"#, #"{"jsonrpc":"2.0","id":2,"result":true}"#,
                #"{"jsonrpc":"2.0","id":3,"result":10}"#,
            ]
        )
        #expect(exchange.handler.durable == [1])
    }

    @Test func otherLanesMayOvertake() {
        let lines = Exchange(order: .asCompleted).lines(
            for: call("slow", #"{"value":4,"lane":"a"}"#, id: 1) + call("write", #"{"value":1,"lane":"b"}"#, id: 2)
                + call("write", #"{"value":2,"lane":"a"}"#, id: 3)
        )
        #expect(lines.first == #"{"jsonrpc":"2.0","id":2,"result":true}"#)
        #expect(
            lines.dropFirst() == [#"{"jsonrpc":"2.0","id":1,"result":8}"#, #"{"jsonrpc":"2.0","id":3,"result":true}"#]
        )
    }

    @Test func refusesAnIdInFlightAndRepliesToTheFirst() {
        let lines = Exchange().lines(for: call("slow", #"{"value":4}"#, id: 1) + call("write", "{}", id: 1))
        #expect(lines.count == 2)
        #expect(lines.first == #"{"jsonrpc":"2.0","id":1,"result":8}"#)
        #expect(lines.last?.contains(#""error":{"code":-32600,"message":"write: Invalid Request: a request"#) == true)
    }

    @Test func acceptsAnIdAgainOnceItHasItsReply() {
        let line = Array(call("sum", "[1]", id: 1).utf8)
        #expect(Exchange().lines(for: [line, line]).allSatisfy { $0.hasSuffix(#""result":1}"#) })
    }

    @Test func repliesToABatchWithSlowPartsInItsOrder() {
        let batch =
            #"[{"jsonrpc":"2.0","id":1,"method":"slow","params":{"value":1}},"#
            + #"{"jsonrpc":"2.0","id":2,"method":"sum","params":[3]}]"#
        for order in [ReplyOrder.inOrder, .asCompleted] {
            #expect(
                Exchange(order: order).lines(for: batch)
                    == [#"[{"jsonrpc":"2.0","id":1,"result":2},{"jsonrpc":"2.0","id":2,"result":3}]"#]
            )
        }
    }

    /// A batch once overtook other requests of the same lane, and was overtaken by them.
    @Test func keepsTheLanesOfMessagesInABatch() {
        let exchange = Exchange(order: .asCompleted)
        let batch =
            #"[{"jsonrpc":"2.0","id":2,"method":"write","params":{"value":2,"lane":"a"}},"#
            + #"{"jsonrpc":"2.0","id":3,"method":"write","params":{"value":3,"lane":"b"}}]"#
        let lines = exchange.lines(
            for: call("slow", #"{"value":1,"lane":"a"}"#, id: 1) + batch + "\n"
                + call("write", #"{"value":4,"lane":"a"}"#, id: 4)
        )
        #expect(
            lines == [
                #"{"jsonrpc":"2.0","id":1,"result":2}"#,
                #"[{"jsonrpc":"2.0","id":2,"result":true},{"jsonrpc":"2.0","id":3,"result":true}]"#,
                #"{"jsonrpc":"2.0","id":4,"result":true}"#,
            ]
        )
        #expect(exchange.handler.durable == [3, 2, 4])
    }

    @Test func aFailedCommitIsReportedOnlyToRequestsThatWrote() {
        let exchange = Exchange()
        exchange.handler.writesMax = 0
        let lines = exchange.lines(
            for: call("sum", "[1]", id: 1) + call("write", #"{"value":1}"#, id: 2) + call("sum", "[2]", id: 3)
        )
        #expect(
            lines == [
                #"{"jsonrpc":"2.0","id":1,"result":1}"#,
                #"{"jsonrpc":"2.0","id":2,"error":{"code":507,"message":"write: full"}}"#,
                #"{"jsonrpc":"2.0","id":3,"result":2}"#,
            ]
        )
        #expect(exchange.handler.durable.isEmpty)
    }

    /// A refused request has no effect that could be lost. Even a commit of nothing may fail, because it may have to
    /// sync other processes' writes; refused requests then once got no reply.
    @Test func aFailedCommitIsNotReportedToRefusedRequests() {
        let exchange = Exchange()
        exchange.handler.writesMax = -1
        let lines = exchange.lines(
            for: "nonsense\n" + #"{"jsonrpc":"1.0","id":1,"method":"sum"}"# + "\n" + call("sum", "[1]", id: 2)
        )
        #expect(
            lines.map(\.withoutReasons) == [
                #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#,
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"Invalid Request"}}"#,
                #"{"jsonrpc":"2.0","id":2,"error":{"code":507,"message":"sum: full"}}"#,
            ]
        )
    }

    @Test func aFailedCommitIsNotReportedToCancelledRequests() {
        let exchange = Exchange()
        exchange.handler.writesMax = -1
        let cancel = #"{"jsonrpc":"2.0","method":"cancel","params":[1]}"# + "\n"
        #expect(exchange.lines(for: call("slow", "{}", id: 1) + cancel + cancel) == [])
    }

    @Test func anIdIsFreeOnlyOnceTheWorkOfItsCancelledRequestEnds() {
        let slow = call("slow", #"{"value":1}"#, id: 1)
        let cancel = #"{"jsonrpc":"2.0","method":"cancel","params":[1]}"# + "\n"
        let lines = Exchange().lines(for: slow + cancel + slow)
        #expect(lines.count == 1 && lines[0].contains("has not been answered yet"))
    }

    @Test func aHandlerMayReportAFailedCommitInAResult() {
        let exchange = Exchange()
        exchange.handler.writesMax = 0
        let lines = exchange.lines(for: call("write", #"{"value":1,"tells":true}"#, id: 1))
        #expect(lines == [#"{"jsonrpc":"2.0","id":1,"result":"full"}"#])
        #expect(exchange.handler.durable.isEmpty)
    }

    @Test(arguments: [ReplyOrder.inOrder, .asCompleted])
    func aWaitingRequestCanBeCancelled(order: ReplyOrder) {
        let exchange = Exchange(order: order)
        let slow = call("slow", #"{"value":1,"lane":"a"}"#, id: 1) + call("slow", #"{"value":2,"lane":"a"}"#, id: 2)
        let cancel = #"{"jsonrpc":"2.0","method":"cancel","params":[1]}"# + "\n"
        let batch =
            #"[{"jsonrpc":"2.0","id":3,"method":"slow","params":{"lane":"b"}},{"jsonrpc":"2.0","method":"cancel","params":[3]}]"#
        #expect(exchange.lines(for: slow + cancel + batch + "\n") == [#"{"jsonrpc":"2.0","id":2,"result":4}"#])
        // The request's id is free again, and a request that does not wait cannot be cancelled.
        #expect(exchange.lines(for: call("sum", "[1]", id: 1) + cancel) == [#"{"jsonrpc":"2.0","id":1,"result":1}"#])
    }

    /// If the commit failed, a message of a batch that gets no reply once cost the one before it its place.
    @Test func aBatchIsRepeatedOneByOneWhenItsCommitFails() {
        let exchange = Exchange()
        exchange.handler.writesMax = 1
        let lines = exchange.lines(
            for: #"[{"jsonrpc":"2.0","id":1,"method":"write","params":{"value":1}},"#
                + #"{"jsonrpc":"2.0","id":9,"result":"of nobody's"},{"jsonrpc":"2.0","method":"write","params":{"value":2}},"#
                + #"{"jsonrpc":"2.0","id":2,"method":"write","params":{"value":3}}]"#
        )
        #expect(lines == [#"[{"jsonrpc":"2.0","id":1,"result":true},{"jsonrpc":"2.0","id":2,"result":true}]"#])
        #expect(exchange.handler.durable == [1, 2, 3])
    }

    @Test func endsATurnWhenItsRepliesReachTheLimit() {
        let request = call("sum", "[1]", id: 1)
        let count = 2 * Limits.groupReplyBytes / 36
        let exchange = Exchange()
        #expect(exchange.lines(for: String(repeating: request, count: count)).count == count)
        // The first group's replies are slightly more than the limit, however much was read at once.
        #expect((Limits.groupReplyBytes...(Limits.groupReplyBytes + 100)).contains(exchange.longestOutput))
    }
}

import Testing

@testable import TLS

@Suite struct TLSMachineTests {
  static let states: [TLSMachine] = [.idle, .handshaking, .open, .inputEnded, .outputEnded, .closed]

  /// The state after a verb, and what the verb gave.
  private func after<Action>(
    _ state: TLSMachine, _ verb: (inout TLSMachine) -> Action
  ) -> (state: TLSMachine, action: Action) {
    var state = state
    let action = verb(&state)
    return (state, action)
  }

  @Test func theHandshakeBeginsOnce() {
    for state in Self.states {
      let (next, begins) = after(state) { $0.connected() }
      #expect(begins == (state == .idle))
      #expect(next == (state == .idle ? .handshaking : state))
    }
  }

  @Test func onlyAHandshakeIsEstablishedOrTimesOut() {
    for state in Self.states {
      #expect(after(state) { $0.established() }.state == (state == .handshaking ? .open : state))
      let (next, isLate) = after(state) { $0.deadlinePassed() }
      #expect(isLate == (state == .handshaking))
      #expect(next == (state == .handshaking ? .closed : state))
    }
  }

  @Test func everyStateEndsOnClose() {
    for state in Self.states {
      let (next, action) = after(state) { $0.close() }
      #expect(next == .closed)
      #expect(action == (state == .open || state == .inputEnded ? .sayGoodbye : .passOn))
      var closed = next
      #expect(closed.close() == .passOn)
      #expect(closed.failed() == false)
      #expect(closed.disconnected() == .passOn)
      #expect(closed.connected() == false)
    }
  }

  @Test func anErrorIsToldOnce() {
    for state in Self.states {
      let (next, isNew) = after(state) { $0.failed() }
      #expect(isNew == (state != .closed))
      #expect(next == .closed)
    }
  }

  @Test func anEndWithoutGoodbyeIsTold() {
    let expected: [TLSEndAction] = [
      .passOn, .report(.handshakeEnded), .report(.truncated), .passOn, .report(.truncated), .passOn,
    ]
    for (state, action) in zip(Self.states, expected) {
      let result = after(state) { $0.disconnected() }
      #expect(result.action == action)
      #expect(result.state == .closed)
    }
  }

  @Test func anEndOfInputWithoutGoodbyeIsTold() {
    let expected: [(TLSEndAction, TLSMachine)] = [
      (.passOn, .idle), (.fail(.handshakeEnded), .closed), (.report(.truncated), .inputEnded), (.ignore, .inputEnded),
      (.report(.truncated), .closed), (.passOn, .closed),
    ]
    for (state, (action, next)) in zip(Self.states, expected) {
      let result = after(state) { $0.inputEnded() }
      #expect(result.action == action)
      #expect(result.state == next)
    }
  }

  @Test func outputEndsOnce() {
    let expected: [(TLSCloseAction, TLSMachine)] = [
      (.giveUp, .closed), (.giveUp, .closed), (.sayGoodbye, .outputEnded), (.sayGoodbye, .closed),
      (.passOn, .outputEnded), (.passOn, .closed),
    ]
    for (state, (action, next)) in zip(Self.states, expected) {
      let result = after(state) { $0.closeOutput() }
      #expect(result.action == action)
      #expect(result.state == next)
      #expect(!next.isWritable && !next.takesWrites)
    }
  }

  @Test func aGoodbyeEndsTheInput() {
    for isHalfClosable in [true, false] {
      let (next, isTold) = after(.open) { $0.receivedGoodbye(isHalfClosable: isHalfClosable) }
      #expect(next == .inputEnded)
      #expect(isTold == isHalfClosable)
      #expect(next.isWritable && !next.isReadable)
      let (end, isToldAtEnd) = after(.outputEnded) { $0.receivedGoodbye(isHalfClosable: isHalfClosable) }
      #expect(end == .closed)
      #expect(!isToldAtEnd)
      // The reader of what came before may have closed the channel.
      let (closed, isToldWhenClosed) = after(.closed) { $0.receivedGoodbye(isHalfClosable: isHalfClosable) }
      #expect(closed == .closed)
      #expect(!isToldWhenClosed)
    }
  }
}

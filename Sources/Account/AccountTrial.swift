package import NIOCore
import Synchronization

/// Whether a server takes a password: logs in, and leaves before there is a session.
package struct AccountTrial: Sendable {
  /// How it went.
  package struct Success: Hashable, Sendable {
    package let target: ServerTarget
    package let mechanism: Mechanism
  }

  private let dialer: AccountDialer

  package init(_ configuration: AccountConfiguration, on eventLoop: any EventLoop) {
    dialer = AccountDialer(configuration: configuration, eventLoop: eventLoop)
  }

  init(_ dialer: AccountDialer) {
    self.dialer = dialer
  }

  /// Takes up to `AccountTimes.negotiation` for each server of the domain. Throws `AccountProblem`.
  package func run() async throws(AccountProblem) -> Success {
    var first: AccountProblem?
    for target in try await dialer.targets() {
      do throws(AccountProblem) {
        return Success(target: target, mechanism: try await logIn(at: target))
      } catch {
        if error.isFinal { throw error }
        first = first ?? error
      }
    }
    throw first ?? AccountProblem(.name, "there is no server to try")
  }

  private func logIn(at target: ServerTarget) async throws(AccountProblem) -> Mechanism {
    let ended = dialer.eventLoop.makePromise(of: AccountProblem?.self)
    let chosen = Mutex<Mechanism?>(nil)
    let setting = ClientMachine.Setting(
      configuration: dialer.configuration, security: target.security, nonce: ServerAccount.nonce(), isTrial: true)
    let handler: NIOLoopBound<AccountHandler>
    do throws(AccountProblem) {
      handler = try await dialer.connect(to: target, setting) { event in
        switch event {
        case .chose(let mechanism, _): chosen.withLock { $0 = mechanism }
        case .closed(let problem): ended.succeed(problem)
        case .heard, .opened, .element, .writable: break
        }
      }
    } catch {
      ended.succeed(error)
      throw error
    }
    // It ends by itself: negotiation has a deadline.
    let problem = await withTaskCancellationHandler {
      (try? await ended.futureResult.get()) ?? nil
    } onCancel: {
      dialer.eventLoop.execute { handler.value.close(AccountProblem(.lost, "the attempt was given up")) }
    }
    if let problem { throw problem }
    guard let mechanism = chosen.withLock({ $0 }) else {
      throw AccountProblem(.lost, "the stream ended before the login")
    }
    return mechanism
  }
}

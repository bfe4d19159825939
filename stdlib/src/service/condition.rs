//! What a service is at.

/// What a service is at, as its manager tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs, or what it had to do is done and lasts.
    Running,
    /// It is being started, also again after it has ended by itself.
    Starting,
    /// It is being stopped.
    Stopping,
    /// It does not run.
    Stopped,
    /// It has ended in a way that it should not.
    Failed,
}

impl State {
    /// The word for playbooks.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Starting => "starting",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing has to be done so that it runs.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Running | Self::Starting)
    }

    /// Whether nothing has to be done so that it does not run.
    pub fn is_down(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed)
    }
}

/// A service as its manager tells about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What it is at.
    pub state: State,
    /// Its process. Absent where it has none, or the manager does not tell.
    pub pid: Option<u32>,
    /// Whether it goes on once it was started. What does something and ends is never seen running.
    pub lasts: bool,
    /// Whether what defines it was changed since the manager has read it.
    pub is_outdated: bool,
}

"""The notebook's REINFORCE loop in PyTorch, as its author would write it.

Sizes, hyperparameters and order of operations are those of the notebook: a
10-64-32-3 network, one 30-day episode an update, log-probabilities computed
once while acting and again for the loss, returns normalised within the episode,
Adam at 0.01. The environment is NumPy, day by day, channel by channel. Each
trial starts from a fresh network. Prints microseconds of CPU time per episode and the
mean return of the first and of the last ten episodes.

    python3 notebook_torch.py [--trials 5] [--episodes 100]
"""

import argparse
import statistics
import time
from collections import deque

import numpy as np
import torch
from torch import nn
from torch.distributions import Normal

CHANNELS, DAYS, BUDGET = 3, 30, 1000.0
BASE = np.array([0.3, 0.5, 0.7])
SATURATION = np.array([300.0, 500.0, 400.0])
VOLATILITY = np.array([0.1, 0.2, 0.15])
DELAY = np.array([0.5, 0.3, 0.15, 0.05])


class Market:
    """Three channels whose effectiveness drifts and whose returns land late."""

    def reset(self):
        self.day = 0
        self.effectiveness = BASE.copy()
        self.pending = deque([np.zeros(CHANNELS) for _ in DELAY], maxlen=len(DELAY))
        self.spent = np.zeros(CHANNELS)
        return self.observe()

    def observe(self):
        share = np.zeros(CHANNELS)
        if self.day > 0:
            share = self.spent / (self.day * BUDGET)
        landing = np.array([np.sum(p) for p in list(self.pending)[1:]]) / BUDGET
        return np.concatenate([[self.day / DAYS], self.effectiveness / np.max(BASE), share, landing])

    def step(self, action):
        action = np.clip(action, 0, 1)
        if np.sum(action) > 0:
            action = action / np.sum(action)
        spend = action * BUDGET
        self.spent += spend
        generated = []
        for i in range(CHANNELS):
            mean = self.effectiveness[i] * spend[i] * np.exp(-spend[i] / SATURATION[i])
            generated.append(max(0, mean * (1 + np.random.normal(0, 0.2))))
        generated = np.array(generated)
        for lag, share in enumerate(DELAY):
            self.pending[lag] += generated * share
        reward = np.sum(self.pending[0])
        self.pending.append(np.zeros(CHANNELS))
        for i in range(CHANNELS):
            drift = 0.1 * (BASE[i] - self.effectiveness[i])
            self.effectiveness[i] += drift + np.random.normal(0, VOLATILITY[i])
            self.effectiveness[i] = max(0.1, self.effectiveness[i])
        self.day += 1
        return self.observe(), reward, self.day >= DAYS


class Policy(nn.Module):
    def __init__(self, inputs, outputs, hidden=64):
        super().__init__()
        self.network = nn.Sequential(
            nn.Linear(inputs, hidden), nn.ReLU(),
            nn.Linear(hidden, hidden // 2), nn.ReLU(),
            nn.Linear(hidden // 2, outputs), nn.Sigmoid(),
        )
        self.log_std = nn.Parameter(torch.ones(outputs) * -0.5)

    def distribution(self, state):
        return Normal(self.network(state), torch.exp(self.log_std))

    def act(self, state):
        d = self.distribution(state)
        action = d.sample()
        log_prob = d.log_prob(action).sum(dim=-1)
        return torch.clamp(action, 0, 1).detach().numpy(), log_prob.detach()

    def evaluate(self, states, actions):
        d = self.distribution(states)
        return d.log_prob(actions).sum(dim=-1), d.entropy().sum(dim=-1)


def normalised_returns(rewards, gamma):
    returns, total = [], 0
    for r in reversed(rewards):
        total = r + gamma * total
        returns.insert(0, total)
    returns = torch.tensor(returns)
    return (returns - returns.mean()) / (returns.std() + 1e-5)


def train(episodes, gamma=0.99, entropy_weight=0.01):
    market = Market()
    policy = Policy(len(market.reset()), CHANNELS)
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.01)
    totals = []
    for _ in range(episodes):
        state, done = market.reset(), False
        states, actions, rewards = [], [], []
        while not done:
            tensor = torch.FloatTensor(state)
            action, _ = policy.act(tensor)
            state, reward, done = market.step(action)
            states.append(tensor)
            actions.append(torch.FloatTensor(action))
            rewards.append(reward)
        returns = normalised_returns(rewards, gamma)
        log_probs, entropy = policy.evaluate(torch.stack(states), torch.stack(actions))
        loss = -(log_probs * returns).mean() - entropy_weight * entropy.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        totals.append(sum(rewards))
    return totals


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    train(3)  # the first calls load code
    times, totals = [], []
    for trial in range(args.seed, args.seed + args.trials):
        torch.manual_seed(trial)
        np.random.seed(trial)
        start = time.process_time()
        totals.append(train(args.episodes))
        times.append(time.process_time() - start)
    trial = statistics.median(times)
    totals = np.array(totals)
    last = totals[:, -10:].mean(axis=1)
    print(
        f"notebook_torch us_per_episode {1e6 * trial / args.episodes:.2f} us_per_trial {1e6 * trial:.0f}"
        f" first10 {totals[:, :10].mean():.0f} last10 {last.mean():.2f} squares {(last**2).sum():.2f} trials {len(last)}"
    )


if __name__ == "__main__":
    main()

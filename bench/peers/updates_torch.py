"""The updates of PPO and DQN in PyTorch, as CleanRL writes them, on one thread.

PPO: 2,048 steps of 10 numbers, actor and critic of 2x64 tanh, 10 epochs of 32
minibatches of 64, one global gradient norm. DQN: 64 rows, 10-64-64-8 and a target
network, mean squared error. Adam in its default form. Prints the median CPU time
in microseconds an update.

    python3 updates_torch.py [--rounds 5]
"""

import argparse
import statistics
import time

import numpy as np
import torch
from torch import nn, optim
from torch.distributions import Normal

STEPS, MINIBATCH, EPOCHS, INPUTS, ACTIONS = 2048, 64, 10, 10, 3


def mlp(sizes, activation):
    layers = []
    for i, o in zip(sizes, sizes[1:]):
        layers += [nn.Linear(i, o), activation()]
    return nn.Sequential(*layers[:-1])


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = mlp([INPUTS, 64, 64, ACTIONS], nn.Tanh)
        self.critic = mlp([INPUTS, 64, 64, 1], nn.Tanh)
        self.log_std = nn.Parameter(torch.zeros(1, ACTIONS))

    def evaluate(self, obs, action):
        mean = self.actor(obs)
        normal = Normal(mean, torch.exp(self.log_std.expand_as(mean)))
        return normal.log_prob(action).sum(1), self.critic(obs)


def ppo(agent, optimizer, obs, actions, old, advantages, returns):
    order = np.arange(STEPS)
    for _ in range(EPOCHS):
        np.random.shuffle(order)
        for start in range(0, STEPS, MINIBATCH):
            rows = order[start : start + MINIBATCH]
            log_prob, value = agent.evaluate(obs[rows], actions[rows])
            ratio = (log_prob - old[rows]).exp()
            weight = advantages[rows]
            weight = (weight - weight.mean()) / (weight.std() + 1e-8)
            policy_loss = torch.max(-weight * ratio, -weight * torch.clamp(ratio, 0.8, 1.2)).mean()
            value_loss = 0.5 * ((value.view(-1) - returns[rows]) ** 2).mean()
            loss = policy_loss + 0.5 * value_loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()


def dqn(q, target, optimizer, data, rng):
    rows = rng.integers(0, len(data["reward"]), MINIBATCH)
    with torch.no_grad():
        best, _ = target(data["after"][rows]).max(dim=1)
        goal = data["reward"][rows] + data["discount"][rows] * best
    old = q(data["obs"][rows]).gather(1, data["action"][rows]).squeeze()
    loss = nn.functional.mse_loss(goal, old)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def median(rounds, group, f):
    f()
    times = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(group):
            f()
        times.append((time.process_time() - start) / group)
    return 1e6 * statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    agent = Agent()
    optimizer = optim.Adam(agent.parameters(), lr=3e-4, eps=1e-5)
    obs, actions = torch.randn(STEPS, INPUTS), torch.randn(STEPS, ACTIONS)
    old, advantages, returns = -3.5 + 0.5 * torch.randn(STEPS), torch.randn(STEPS), torch.randn(STEPS)
    print(f"torch_ppo us {median(rounds, 1, lambda: ppo(agent, optimizer, obs, actions, old, advantages, returns)):.1f}")

    q, target = mlp([10, 64, 64, 8], nn.ReLU), mlp([10, 64, 64, 8], nn.ReLU)
    optimizer = optim.Adam(q.parameters(), lr=2.5e-4)
    n = 10_000
    data = {
        "obs": torch.randn(n, 10), "after": torch.randn(n, 10), "action": torch.randint(8, (n, 1)),
        "reward": torch.randn(n), "discount": 0.99 * (torch.rand(n) > 0.05),
    }
    print(f"torch_dqn us {median(rounds, 200, lambda: dqn(q, target, optimizer, data, rng)):.1f}")


if __name__ == "__main__":
    main()

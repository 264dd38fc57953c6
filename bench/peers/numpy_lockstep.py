"""The notebook's REINFORCE loop in NumPy, 256 trials in lockstep.

What one can do without a compiler: every array has the trials as its first
axis, so each NumPy call does 256 trials' work; the backward pass is written by
hand; activations are kept from the rollout, so there is no second forward pass;
arrays are float32 and reused; the noise of an episode is drawn at once. Sizes,
hyperparameters and dynamics are those of notebook_torch.py. Each batch of trials
starts from fresh networks. Prints microseconds per episode of
one trial, and the mean return of the first and of the last ten episodes.

    OMP_NUM_THREADS=1 python3 numpy_lockstep.py [--trials 256] [--episodes 100]
"""

import argparse
import time

import numpy as np

CHANNELS, DAYS, BUDGET = 3, 30, 1000.0
BASE = np.array([0.3, 0.5, 0.7], np.float32)
SATURATION = np.array([300.0, 500.0, 400.0], np.float32)
VOLATILITY = np.array([0.1, 0.2, 0.15], np.float32)
DELAY = np.array([0.5, 0.3, 0.15, 0.05], np.float32)
SIZES = [1 + 2 * CHANNELS + len(DELAY) - 1, 64, 32, CHANNELS]
GAMMA, ENTROPY_WEIGHT, RATE, BETA1, BETA2, EPSILON = 0.99, 0.01, 0.01, 0.9, 0.999, 1e-8


class Lockstep:
    """As many trials as there are, one step at a time."""

    def __init__(self, trials, seed):
        self.n = trials
        self.rng = np.random.Generator(np.random.SFC64(seed))
        count = sum((i + 1) * o for i, o in zip(SIZES, SIZES[1:])) + CHANNELS
        self.params = np.zeros((trials, count), np.float32)
        self.grads = np.zeros_like(self.params)
        self.first, self.second = np.zeros_like(self.params), np.zeros_like(self.params)
        self.scratch = np.zeros_like(self.params)
        self.weights, self.biases = self.views(self.params)
        self.weight_grads, self.bias_grads = self.views(self.grads)
        self.log_std, self.log_std_grad = self.params[:, -CHANNELS:], self.grads[:, -CHANNELS:]
        for i, (w, b) in enumerate(zip(self.weights, self.biases)):
            bound = 1 / np.sqrt(SIZES[i])
            w[...] = self.rng.uniform(-bound, bound, w.shape)
            b[...] = self.rng.uniform(-bound, bound, b.shape)
        self.log_std[...] = -0.5
        # Activations of an episode: [trial, day, unit].
        self.acts = [np.zeros((trials, DAYS, size), np.float32) for size in SIZES]
        self.actions = np.zeros((trials, DAYS, CHANNELS), np.float32)
        self.rewards = np.zeros((trials, DAYS), np.float32)
        self.step = 0

    def views(self, flat):
        weights, biases, at = [], [], 0
        for i, o in zip(SIZES, SIZES[1:]):
            weights.append(flat[:, at:at + i * o].reshape(self.n, i, o))
            at += i * o
            biases.append(flat[:, at:at + o])
            at += o
        return weights, biases

    def rollout(self):
        n = self.n
        policy = self.rng.standard_normal((DAYS, n, CHANNELS), np.float32)
        market = self.rng.standard_normal((DAYS, 2, n, CHANNELS), np.float32)
        std = np.exp(self.log_std)
        effectiveness = np.tile(BASE, (n, 1))
        spent = np.zeros((n, CHANNELS), np.float32)
        pending = np.zeros((n, len(DELAY) + 1), np.float32)
        for day in range(DAYS):
            x = self.acts[0][:, day]
            x[:, 0] = day / DAYS
            x[:, 1:4] = effectiveness / BASE.max()
            x[:, 4:7] = spent / max(day, 1)
            x[:, 7:] = pending[:, 1:len(DELAY)] / BUDGET
            for i in range(3):
                y = np.matmul(x[:, None, :], self.weights[i])[:, 0]
                y += self.biases[i]
                if i < 2:
                    np.maximum(y, 0, out=y)
                else:
                    np.negative(y, out=y)
                    np.exp(y, out=y)
                    y += 1
                    np.reciprocal(y, out=y)
                self.acts[i + 1][:, day] = y
                x = y
            action = policy[day]
            action *= std
            action += x
            np.clip(action, 0, 1, out=action)
            self.actions[:, day] = action
            total = action.sum(axis=1, keepdims=True)
            share = action / np.where(total > 0, total, 1)
            spent += share
            spend = share * np.float32(BUDGET)
            generated = effectiveness * spend * np.exp(-spend / SATURATION)
            generated *= 1 + np.float32(0.2) * market[day, 0]
            generated = np.maximum(generated, 0, out=generated).sum(axis=1)
            pending[:, :-1] += generated[:, None] * DELAY
            self.rewards[:, day] = pending[:, 0]
            pending[:, :-1] = pending[:, 1:]
            effectiveness += np.float32(0.1) * (BASE - effectiveness) + VOLATILITY * market[day, 1]
            np.maximum(effectiveness, np.float32(0.1), out=effectiveness)

    def update(self):
        returns = self.rewards.copy()
        for day in range(DAYS - 2, -1, -1):
            returns[:, day] += np.float32(GAMMA) * returns[:, day + 1]
        returns -= returns.mean(axis=1, keepdims=True)
        returns /= returns.std(axis=1, ddof=1, keepdims=True) + np.float32(1e-5)
        weight = (returns / DAYS)[:, :, None]
        mean = self.acts[3]
        inverse = np.exp(-self.log_std)[:, None, :]
        z = (self.actions - mean) * inverse
        self.log_std_grad[...] = -(weight * (z * z - 1)).sum(axis=1) - np.float32(ENTROPY_WEIGHT)
        delta = -weight * z * inverse
        delta *= mean * (1 - mean)
        for i in (2, 1, 0):
            np.matmul(self.acts[i].transpose(0, 2, 1), delta, out=self.weight_grads[i])
            np.sum(delta, axis=1, out=self.bias_grads[i])
            if i > 0:
                delta = np.matmul(delta, self.weights[i].transpose(0, 2, 1))
                delta *= self.acts[i] > 0
        self.adam()

    def adam(self):
        self.step += 1
        g, m, v, t = self.grads, self.first, self.second, self.scratch
        m *= np.float32(BETA1)
        np.multiply(g, np.float32(1 - BETA1), out=t)
        m += t
        v *= np.float32(BETA2)
        g *= g
        g *= np.float32(1 - BETA2)
        v += g
        np.sqrt(v, out=t)
        t *= np.float32(1 / np.sqrt(1 - BETA2**self.step))
        t += np.float32(EPSILON)
        np.divide(m, t, out=t)
        t *= np.float32(RATE / (1 - BETA1**self.step))
        self.params -= t

    def train(self, episodes):
        totals = np.zeros((episodes, self.n), np.float32)
        for e in range(episodes):
            self.rollout()
            self.update()
            totals[e] = self.rewards.sum(axis=1)
        return totals


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=256)
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    Lockstep(args.trials, 1).train(2)  # the first calls load code
    start = time.process_time()
    totals = Lockstep(args.trials, args.seed).train(args.episodes)
    trial = (time.process_time() - start) / args.trials
    last = totals[-10:].astype(np.float64).mean(axis=0)
    print(
        f"numpy_lockstep us_per_episode {1e6 * trial / args.episodes:.2f} us_per_trial {1e6 * trial:.0f}"
        f" first10 {totals[:10].mean():.0f} last10 {last.mean():.2f} squares {(last**2).sum():.2f} trials {len(last)}"
    )


if __name__ == "__main__":
    main()
